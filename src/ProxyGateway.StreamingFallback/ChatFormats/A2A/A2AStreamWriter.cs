using System.Buffers;
using System.Text.Json;
using ProxyGateway.StreamingFallback.ChatFormats.Json;

namespace ProxyGateway.StreamingFallback.ChatFormats.A2A;

/// <summary>Makes the events that lead from what was delivered to the end of a whole answer.</summary>
internal readonly ref struct A2AStreamWriter
{
    private readonly IBufferWriter<byte> _output;
    private readonly A2AReader? _delivered;
    private readonly A2AAnswer _answer;
    private readonly byte[]? _id;
    private readonly byte[]? _taskId;
    private readonly byte[]? _contextId;

    public A2AStreamWriter(A2AReader? delivered, A2AAnswer answer, ChatRequest request, IBufferWriter<byte> output)
    {
        _output = output;
        _delivered = delivered;
        _answer = answer;
        _id = request.Rpc?.Id;
        _taskId = delivered?.TaskId ?? RawJson.Scalar(answer.Result, "id"u8);
        _contextId = delivered?.ContextId ?? RawJson.Scalar(answer.Result, "contextId"u8);
    }

    public void Write()
    {
        if (_answer.IsMessage)
        {
            using var response = Begin();
            _answer.Result.WriteTo(response);
            End(response);
            return;
        }

        if (_delivered is null)
        {
            WriteTask();
        }

        for (var i = 0; i < _answer.Artifacts.Count; i++)
        {
            WriteArtifact(_answer.Artifacts[i], i < _delivered?.Artifacts.Count ? _delivered.Artifacts[i] : null);
        }

        WriteFinal();
    }

    /// <summary>The task as a stream begins with it: at work, without what follows.</summary>
    private void WriteTask()
    {
        using var response = Begin();
        response.WriteStartObject();
        RawJson.WriteOtherMembers(response, _answer.Result, static m => m.NameEquals("status"u8) || m.NameEquals("artifacts"u8));
        response.WriteStartObject("status"u8);
        response.WriteString("state"u8, "working"u8);
        response.WriteEndObject();
        response.WriteEndObject();
        End(response);
    }

    private void WriteArtifact(AnswerArtifact artifact, DeliveredArtifact? begun)
    {
        if (artifact.Text is null)
        {
            using var update = BeginUpdate("artifact-update"u8);
            update.WritePropertyName("artifact"u8);
            artifact.Element.WriteTo(update);
            EndArtifact(update, append: false, isLast: true);
            return;
        }

        var rest = artifact.Text.AsSpan(begun?.Text.Length ?? 0);
        var isFirst = begun is null;
        while (isFirst || !rest.IsEmpty)
        {
            var piece = TextPieces.Take(rest);
            using var update = BeginUpdate("artifact-update"u8);
            update.WriteStartObject("artifact"u8);
            if (begun is not null)
            {
                update.WriteString("artifactId"u8, begun.Id);
            }
            else if (isFirst)
            {
                RawJson.WriteOtherMembers(update, artifact.Element, static m => m.NameEquals("parts"u8));
            }
            else
            {
                RawJson.WriteOtherMembers(update, artifact.Element, static m => !m.NameEquals("artifactId"u8));
            }

            update.WriteStartArray("parts"u8);
            update.WriteStartObject();
            update.WriteString("kind"u8, "text"u8);
            update.WriteString("text"u8, rest[..piece]);
            update.WriteEndObject();
            update.WriteEndArray();
            update.WriteEndObject();
            rest = rest[piece..];
            EndArtifact(update, append: !isFirst, isLast: rest.IsEmpty);
            isFirst = false;
        }
    }

    private void WriteFinal()
    {
        using var update = BeginUpdate("status-update"u8);
        update.WriteStartObject("status"u8);
        foreach (var member in _answer.Result.GetProperty("status"u8).EnumerateObject())
        {
            if (member.NameEquals("message"u8) && member.Value.ValueKind == JsonValueKind.Object)
            {
                WriteMessage(update, member.Value);
            }
            else
            {
                member.WriteTo(update);
            }
        }

        update.WriteEndObject();
        update.WriteBoolean("final"u8, true);
        update.WriteEndObject();
        End(update);
    }

    /// <summary>A message of the answer belongs to the task that the client knows.</summary>
    private void WriteMessage(Utf8JsonWriter update, JsonElement message)
    {
        update.WriteStartObject("message"u8);
        foreach (var member in message.EnumerateObject())
        {
            if (member.NameEquals("taskId"u8))
            {
                WriteRaw(update, "taskId"u8, _taskId);
            }
            else if (member.NameEquals("contextId"u8))
            {
                WriteRaw(update, "contextId"u8, _contextId);
            }
            else
            {
                member.WriteTo(update);
            }
        }

        update.WriteEndObject();
    }

    private Utf8JsonWriter BeginUpdate(ReadOnlySpan<byte> kind)
    {
        var response = Begin();
        response.WriteStartObject();
        response.WriteString("kind"u8, kind);
        WriteRaw(response, "taskId"u8, _taskId);
        WriteRaw(response, "contextId"u8, _contextId);
        return response;
    }

    private void EndArtifact(Utf8JsonWriter update, bool append, bool isLast)
    {
        update.WriteBoolean("append"u8, append);
        update.WriteBoolean("lastChunk"u8, isLast);
        update.WriteEndObject();
        End(update);
    }

    /// <summary>Opens a response up to its result.</summary>
    private Utf8JsonWriter Begin()
    {
        _output.Write("data: "u8);
        var response = new Utf8JsonWriter(_output, JsonText.WriterOptions);
        response.WriteStartObject();
        response.WriteString("jsonrpc"u8, "2.0"u8);
        response.WritePropertyName("id"u8);
        RawJson.Write(response, _id ?? "null"u8);
        response.WritePropertyName("result"u8);
        return response;
    }

    private void End(Utf8JsonWriter response)
    {
        response.WriteEndObject();
        response.Flush();
        _output.Write("\n\n"u8);
    }

    private static void WriteRaw(Utf8JsonWriter writer, ReadOnlySpan<byte> name, byte[]? value)
    {
        if (value is not null)
        {
            writer.WritePropertyName(name);
            RawJson.Write(writer, value);
        }
    }
}
