using System.Globalization;
using System.Net;
using System.Text;

namespace ProxyGateway.Benchmarks.Plots;

/// <summary>A median, and the least and the greatest round.</summary>
internal readonly record struct Point(double X, double Y, double Least, double Greatest);

internal sealed record Series(string Name, IReadOnlyList<Point> Points);

/// <summary>Lines over a logarithmic axis, from zero: a plain SVG that follows the reader's light or dark scheme.</summary>
internal sealed class LinePlot(string title, string horizontal, string vertical, IReadOnlyList<Series> series)
{
    private const double Width = 720;
    private const double Height = 360;
    private const double Left = 64;
    private const double Right = 130;
    private const double Top = 44;
    private const double Bottom = 52;

    private readonly StringBuilder _svg = new();
    private readonly double _least = series.SelectMany(s => s.Points).Min(p => p.X);
    private readonly double _greatest = series.SelectMany(s => s.Points).Max(p => p.X);
    private readonly double _step = Step(series.SelectMany(s => s.Points).Max(p => p.Greatest));

    private double Ceiling => _step * Math.Ceiling(series.SelectMany(s => s.Points).Max(p => p.Greatest) / _step);

    public string ToSvg()
    {
        // Shapes differ too: colours alone do not tell the lines apart for everybody.
        Add($$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{Width}} {{Height}}" role="img" aria-labelledby="title" font-family="system-ui, sans-serif" font-size="13">
            <title id="title">{{Escape(title)}}</title>
            <style>
            svg { background: #fff } text { fill: #222 } .grid { stroke: #ddd } .axis { stroke: #888 }
            .s0 { color: #0b63c4 } .s1 { color: #b3530a } .s2 { color: #15803d } .s3 { color: #7e22ce }
            .line { stroke: currentColor; stroke-width: 2; fill: none } .range { stroke: currentColor; stroke-width: 1 } .mark { fill: currentColor } .name { fill: currentColor; font-weight: 600 }
            @media (prefers-color-scheme: dark) {
            svg { background: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .axis { stroke: #8b949e }
            .s0 { color: #6cb6ff } .s1 { color: #f0a45d } .s2 { color: #6ee7a0 } .s3 { color: #d2a8ff } .name { fill: currentColor }
            }
            </style>
            <text x="{{Left}}" y="22" font-weight="600">{{Escape(title)}}</text>
            """);
        AddAxes();
        var names = Names();
        for (var i = 0; i < series.Count; i++)
        {
            AddSeries(series[i], i, names[i]);
        }

        Add($"</svg>");
        return _svg.ToString();
    }

    private void AddAxes()
    {
        for (var value = 0.0; value <= Ceiling * 1.0001; value += _step)
        {
            Add($"""<line class="{(value == 0 ? "axis" : "grid")}" x1="{Left}" y1="{Y(value):0.#}" x2="{Width - Right}" y2="{Y(value):0.#}"/>""");
            Add($"""<text x="{Left - 8}" y="{Y(value) + 4:0.#}" text-anchor="end">{Math.Round(value, 4)}</text>""");
        }

        foreach (var x in series.SelectMany(s => s.Points).Select(p => p.X).Distinct().Order())
        {
            Add($"""<line class="axis" x1="{X(x):0.#}" y1="{Y(0):0.#}" x2="{X(x):0.#}" y2="{Y(0) + 5:0.#}"/>""");
            Add($"""<text x="{X(x):0.#}" y="{Y(0) + 20:0.#}" text-anchor="middle">{x:N0}</text>""");
        }

        Add($"""<text x="{(Left + Width - Right) / 2:0.#}" y="{Height - 10}" text-anchor="middle">{Escape(horizontal)} (logarithmic)</text>""");
        Add($"""<text transform="translate(16 {(Top + Height - Bottom) / 2:0.#}) rotate(-90)" text-anchor="middle">{Escape(vertical)}</text>""");
    }

    private void AddSeries(Series one, int index, double nameAt)
    {
        Add($"""<g class="s{index % 4}">""");
        Add($"""<polyline class="line" points="{string.Join(' ', one.Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):0.#},{Y(p.Y):0.#}")))}"/>""");
        foreach (var point in one.Points)
        {
            var (x, y) = (X(point.X), Y(point.Y));
            Add($"""<line class="range" x1="{x:0.#}" y1="{Y(point.Least):0.#}" x2="{x:0.#}" y2="{Y(point.Greatest):0.#}"/>""");
            Add(index % 2 == 0
                ? (FormattableString)$"""<circle class="mark" cx="{x:0.#}" cy="{y:0.#}" r="4"/>"""
                : $"""<rect class="mark" x="{x - 4:0.#}" y="{y - 4:0.#}" width="8" height="8"/>""");
        }

        Add($"""<text class="name" x="{Width - Right + 10}" y="{nameAt:0.#}">{Escape(one.Name)}</text>""");
        Add($"</g>");
    }

    /// <summary>Each name beside its line's end, moved where two would lie on each other.</summary>
    private double[] Names()
    {
        const double Line = 16;
        var at = new double[series.Count];
        var last = double.NegativeInfinity;
        foreach (var i in Enumerable.Range(0, series.Count).OrderBy(i => Y(series[i].Points[^1].Y)))
        {
            at[i] = last = Math.Max(Y(series[i].Points[^1].Y) + 4, last + Line);
        }

        return at;
    }

    private double X(double value) =>
        Left + 20 + ((Width - Right - Left - 40) * (_greatest > _least ? Math.Log(value / _least) / Math.Log(_greatest / _least) : 0.5));

    private double Y(double value) => Height - Bottom - ((Height - Bottom - Top) * value / Ceiling);

    /// <summary>A step of 1, 2 or 5 times a power of ten that makes four to nine of them.</summary>
    private static double Step(double greatest)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(greatest / 4)));
        var rest = greatest / 4 / power;
        return power * (rest < 2 ? 1 : rest < 5 ? 2 : 5);
    }

    private void Add(FormattableString line) => _svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
