using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using ProxyGateway.SimulationTests.Grid;
using ProxyGateway.StreamingFallback.ChatFormats;
using ProxyGateway.StreamingFallback.Configuration;
using ProxyGateway.TestKit.Contract;

namespace ProxyGateway.SimulationTests.Fuzzing.Targets;

/// <summary>
/// What is read of a request, and the body of an attempt. Any bytes: nothing throws; what is accepted is a JSON object that an
/// independent reader reads the same; what is rewritten is JSON again, asks for what it should, and nothing else in it has changed.
/// </summary>
internal sealed class RequestBodyTarget : FuzzTarget
{
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 512 };

    private static readonly byte[][] More =
    [
        """{ "model" : "m" , "messages" : [ {"role":"user","content":"{\"stream\":true}"} ] , "stream" : true , "stream_options" : { "include_usage" : true } }"""u8.ToArray(),
        "{\"stream_options\":{\"include_usage\":true},\"stream\":true}"u8.ToArray(),
        "{\"stream\":true,\"stream_options\":null\n}"u8.ToArray(),
        "{\"stream\":true}"u8.ToArray(),
        "{ }"u8.ToArray(),
        "{\r\n\t\"tools\":[{\"stream\":true,\"model\":\"x\"}],\"model\":\"a\\u0062\\\"\",\"input\":[{\"model\":1}],\"n\":2,\"stream\":true}"u8.ToArray(),
        "{\"jsonrpc\":\"2.0\",\"method\":\"tasks/resubscribe\",\"id\":\"x\",\"params\":{\"id\":\"t\",\"method\":\"message/stream\"}}"u8.ToArray(),
    ];

    public override string Name => "bodies";

    public override int ShortRuns => 5_000;

    public override FuzzInput Make(FuzzRandom random)
    {
        var choices = random.Next();
        var subject = Subjects.Pick(new FuzzRandom(choices));
        var body = random.OneIn(3) ? random.Pick(More) : subject.Stream.Request;
        return new FuzzInput(choices, random.OneIn(40) ? body : Mutator.Document(body, random.Pick(More), random));
    }

    public override string? Check(FuzzInput input)
    {
        var random = input.Random;
        var subject = Subjects.Pick(random);
        var format = Subjects.Format(subject);
        var body = input.Parts[0];
        var problem = format.ReadRequest(body, subject.Format.Target, out var request);
        if (problem is not null)
        {
            return problem.Length is > 0 and < 200 ? null : "a refusal without words, or with too many";
        }

        if (Parse(body) is not { } before)
        {
            return "a body that is no JSON object was accepted";
        }

        if (Spoken(format, request) is { } spoilt)
        {
            return $"{format.Name}: {spoilt}";
        }

        if (!Utf8.IsValid(body) || Ambiguity.HasLoneSurrogate(body))
        {
            // The checker's reader decodes what it does not need.
            return null;
        }

        var contract = ContractFormats.Get(format.Name);
        if (contract.ReadRequest(body, subject.Format.Target) is { } second && second.Streaming != request.Streaming)
        {
            return $"{format.Name}: the request streams ({request.Streaming}), to another reader it does not";
        }

        var model = random.OneIn(2) ? null : random.Pick((string[])["other", "é\"\\\n", ""]);
        return Rewritten(subject, request, body, before, AttemptMode.NonStreaming, model) ?? Rewritten(subject, request, body, before, AttemptMode.Streaming, model);
    }

    private static string? Rewritten(GridSubject subject, ChatRequest request, byte[] body, JsonElement before, AttemptMode mode, string? model)
    {
        var format = Subjects.Format(subject);
        var contract = ContractFormats.Get(format.Name);
        var output = new ArrayBufferWriter<byte>();
        if (!format.WriteAttemptBody(request, body, mode, model, output))
        {
            return output.WrittenCount > 0 ? "bytes were written, and yet the client's serve"
                : mode == AttemptMode.NonStreaming && contract.ChangeableMembers.Count > 0 && contract.ReadRequest(body, subject.Format.Target) is { Streaming: true } ? "the client's body serves a replay, and asks for a stream" : null;
        }

        var written = output.WrittenSpan.ToArray();
        if (Parse(written) is not { } after)
        {
            return $"{format.Name}: what was rewritten is no JSON object: {Encoding.UTF8.GetString(written)}";
        }

        if (!Others(before, contract).SequenceEqual(Others(after, contract)))
        {
            return $"{format.Name}: other members changed: {Encoding.UTF8.GetString(written)}";
        }

        if (format.ReadRequest(written, subject.Format.Target, out var again) is { } problem)
        {
            return $"{format.Name}: what was rewritten would be refused: {problem}";
        }

        if (contract.ChangeableMembers.Contains("model") && model is not null && again.Model != model)
        {
            return $"{format.Name}: the model is `{again.Model}`, not `{model}`";
        }

        var streaming = mode == AttemptMode.Streaming && request.Streaming;
        if (again.Streaming != streaming || (contract.ReadRequest(written, subject.Format.Target)?.Streaming ?? streaming) != streaming)
        {
            return $"{format.Name}: streams ({again.Streaming}) in mode {mode}";
        }

        return request.Streaming && !streaming && Has(after, "stream_options") && contract.ChangeableMembers.Contains("stream_options") ? $"{format.Name}: `stream_options` without a stream" : null;
    }

    /// <summary>What the gateway says to this request by itself, with what it took over from it.</summary>
    private static string? Spoken(ChatFormat format, ChatRequest request)
    {
        using var reader = format.NewReader(request, 1 << 20, TerminalProfile.Auto);
        return Written.Problem(Cuts.Written(o => format.WriteErrorEvent(SpliceTarget.Error, null, reader, o)), format.Framing)
            ?? Written.Problem([.. Cuts.Written(o => format.WriteHeartbeat(reader, o)), .. Cuts.Written(o => format.WriteErrorEvent(SpliceTarget.Error, null, null, o))], format.Framing);
    }

    private static bool Has(JsonElement root, string member) => root.EnumerateObject().Any(m => m.NameEquals(member));

    private static JsonElement? Parse(byte[] body)
    {
        try
        {
            return JsonElement.Parse(body, Deep) is { ValueKind: JsonValueKind.Object } root ? root : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Every member that must not change, name and value as they are written, in order.</summary>
    private static List<string> Others(JsonElement root, IContractFormat contract)
    {
        List<string> members = [];
        foreach (var member in root.EnumerateObject())
        {
            if (!contract.ChangeableMembers.Any(member.NameEquals))
            {
                members.Add(Convert.ToHexString(JsonMarshal.GetRawUtf8PropertyName(member)) + Convert.ToHexString(JsonMarshal.GetRawUtf8Value(member.Value)));
            }
        }

        return members;
    }
}
