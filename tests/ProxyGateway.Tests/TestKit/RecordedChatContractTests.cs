using ProxyGateway.TestKit.Chats;
using ProxyGateway.TestKit.Contract;
using ProxyGateway.TestKit.Data;
using Xunit;

namespace ProxyGateway.Tests.TestKit;

/// <summary>What providers really send must not offend a checker when it arrives untouched, and must offend it when cut.</summary>
public sealed class RecordedChatContractTests
{
    [Fact]
    public void CompleteStreamPassedThrough_HasNoViolation()
    {
        var complete = 0;
        foreach (var stream in ChatStreams())
        {
            var transcript = Through(stream.Bytes, AttemptEnding.Clean);
            var reading = AttemptReading.Read(transcript.Attempts[0], ContractFormats.Get("openai-chat"), new ContractRequest(true, 1, false), null);
            if (reading.CanBeFailed)
            {
                continue;
            }

            complete++;
            // A gateway leaves out what comes after the end marker and adds the marker where it is missing.
            byte[] body = [.. reading.Events.SelectMany(e => e.Raw.ToArray()), .. reading.HasDone ? [] : Chat.Bytes(Chat.Done)];
            var violations = StreamContract.Check(transcript with { Client = new ClientRecord { Body = body } });
            Assert.True(violations.Count == 0, $"{stream.Name}: {string.Join("; ", violations)}");
        }

        Assert.True(complete >= 25, $"{complete} complete streams");
    }

    [Fact]
    public void CutStreamPassedThrough_IsAlwaysViolated()
    {
        foreach (var stream in ChatStreams())
        {
            var format = ContractFormats.Get("openai-chat");
            for (var cut = 0; cut < stream.Bytes.Length; cut += 397)
            {
                var transcript = Through(stream.Bytes[..cut], AttemptEnding.Broken);
                var reading = AttemptReading.Read(transcript.Attempts[0], format, new ContractRequest(true, 1, false), null);
                if (!reading.CanBeComplete)
                {
                    Assert.True(StreamContract.Check(transcript).Count > 0, $"{stream.Name} cut at {cut}");
                }
            }
        }
    }

    private static Transcript Through(byte[] bytes, AttemptEnding ending) =>
        Make.Of(new ClientRecord { Body = bytes }, Make.Streamed(bytes, ending));

    private static IEnumerable<RecordedStream> ChatStreams()
    {
        var folder = SharedData.Require();
        Assert.SkipWhen(folder is null, SharedData.Missing);
        return RecordedStreams.Load(folder).Where(s => s.Format == "openai-chat");
    }
}
