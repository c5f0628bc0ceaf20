using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.Tests.TestKit.Formats;

/// <summary>The checker of every format but the first, judged by exchanges that keep the contract and exchanges that break one rule of it.</summary>
public sealed class FormatContractTests
{
    public static TheoryData<string> GoodNames => [.. Good().Select(c => c.Name)];

    public static TheoryData<string> BadNames => [.. Bad().Select(c => c.ToString())];

    public static TheoryData<string> Recorded => ["anthropic-messages", "openai-responses", "openai-completions", "gemini"];

    [Theory]
    [MemberData(nameof(GoodNames))]
    public void GoodTranscript_HasNoViolation(string name) =>
        Assert.Empty(StreamContract.Check(Good().Single(c => c.Name == name).Transcript));

    [Theory]
    [MemberData(nameof(BadNames))]
    public void BadTranscript_IsReportedUnderItsRuleAndNoOther(string name)
    {
        var bad = Bad().Single(c => c.ToString() == name);
        var violations = StreamContract.Check(bad.Transcript);
        Assert.NotEmpty(violations);
        Assert.All(violations, v => Assert.True(v.Rule == bad.Rule, string.Join("; ", violations)));
    }

    [Fact]
    public void EveryFormat_HasTranscripts() =>
        Assert.All(ContractFormats.Names.Where(n => n != "openai-chat"), n => Assert.True(Good().Any(c => c.Transcript.Format == n) && Bad().Count(c => c.Transcript.Format == n) >= 8, n));

    [Theory]
    [MemberData(nameof(Recorded))]
    public void RecordedStream_PassesWholeAndNeverCut(string format)
    {
        var folder = SharedData.Require();
        Assert.SkipWhen(folder is null, SharedData.Missing);
        var contract = ContractFormats.Get(format);
        var maker = new FormatTranscript(format, "{\"stream\":true}"u8.ToArray(), []);
        var complete = 0;
        foreach (var recorded in RecordedStreams.Load(folder).Where(s => s.Format == format))
        {
            var attempt = maker.Whole(recorded.Bytes);
            var reading = AttemptReading.Read(attempt, contract, new ContractRequest(true, 1, true), null);
            if (!reading.CanBeComplete || reading.CanBeFailed)
            {
                continue;
            }

            complete++;
            byte[] passed = [.. reading.Events.SelectMany(e => e.Raw.ToArray()), .. reading.HasDone ? [] : contract.MissingEnd.ToArray()];
            var violations = StreamContract.Check(maker.Of(FormatTranscript.Got(passed), attempt));
            Assert.True(violations.Count == 0, $"{recorded.Name}: {string.Join("; ", violations)}");
            for (var cut = 0; cut < recorded.Bytes.Length; cut += 997)
            {
                var part = maker.Cut(recorded.Bytes[..cut]);
                if (!AttemptReading.Read(part, contract, new ContractRequest(true, 1, true), null).CanBeComplete)
                {
                    Assert.True(StreamContract.Check(maker.Of(FormatTranscript.Got(part.Body), part)).Count > 0, $"{recorded.Name} cut at {cut}");
                }
            }
        }

        Assert.True(complete >= (format is "openai-completions" or "gemini" ? 1 : 20), $"{complete} complete streams");
    }

    private static IEnumerable<TranscriptCase> Good() => [.. AnthropicTranscripts.Good(), .. ResponsesTranscripts.Good(), .. OtherTranscripts.Good()];

    private static IEnumerable<TranscriptCase> Bad() => [.. AnthropicTranscripts.Bad(), .. ResponsesTranscripts.Bad(), .. OtherTranscripts.Bad()];
}
