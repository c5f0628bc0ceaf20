using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using System.Text.Json;
using Anthropic;
using Anthropic.Models.Messages;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Responses;
using ProxyGateway.IntegrationTests.Clients.Judging;

namespace ProxyGateway.IntegrationTests.Clients;

/// <summary>One way to ask with a .NET SDK, its own retries switched off.</summary>
internal sealed record NuGetClient(string Name, bool Streaming, Func<Uri, string, CancellationToken, Task<JudgedReply>> AskAsync);

internal static class NuGetClients
{
    private const string Model = "judged-model";
    private const string Key = "made-up";
    private const string Schema = """{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer"}},"required":["query","limit"]}""";

    private static readonly string s_openAI = "OpenAI " + Version(typeof(OpenAIClient));
    private static readonly string s_anthropic = "Anthropic " + Version(typeof(AnthropicClient));

    public static IReadOnlyList<NuGetClient> All { get; } =
    [
        new($"{s_openAI}, chat, streaming", true, ChatStreamAsync),
        new($"{s_openAI}, chat", false, ChatAsync),
        new($"{s_openAI}, responses, streaming", true, ResponseStreamAsync),
        new($"{s_openAI}, responses", false, ResponseAsync),
        new($"{s_anthropic}, streaming", true, MessageStreamAsync),
        new($"{s_anthropic}, message", false, MessageAsync),
    ];

    private static string Version(System.Type type) => type.Assembly.GetName().Version!.ToString(3);

    private static ChatClient Chat(Uri gateway) =>
        new(Model, new ApiKeyCredential(Key), new OpenAIClientOptions { Endpoint = new Uri(gateway, "v1"), RetryPolicy = new ClientRetryPolicy(0) });

    private static ChatCompletionOptions ChatOptions() =>
        new() { Tools = { ChatTool.CreateFunctionTool(JudgedAnswer.ToolName, "Searches.", BinaryData.FromString(Schema)) } };

    private static async Task<JudgedReply> ChatStreamAsync(Uri gateway, string prompt, CancellationToken cancel)
    {
        StringBuilder text = new(), arguments = new();
        string? name = null;
        ChatFinishReason? finish = null;
        await foreach (var update in Chat(gateway).CompleteChatStreamingAsync([new UserChatMessage(prompt)], ChatOptions(), cancel))
        {
            text.Append(string.Concat(update.ContentUpdate.Select(p => p.Text)));
            foreach (var call in update.ToolCallUpdates)
            {
                name ??= call.FunctionName;
                arguments.Append(call.FunctionArgumentsUpdate);
            }

            finish ??= update.FinishReason;
        }

        return new(text.ToString(), name, arguments.ToString(), finish is ChatFinishReason.Stop or ChatFinishReason.ToolCalls);
    }

    private static async Task<JudgedReply> ChatAsync(Uri gateway, string prompt, CancellationToken cancel)
    {
        ChatCompletion answer = await Chat(gateway).CompleteChatAsync([new UserChatMessage(prompt)], ChatOptions(), cancel);
        var call = answer.ToolCalls.SingleOrDefault();
        return new(string.Concat(answer.Content.Select(p => p.Text)), call?.FunctionName, call?.FunctionArguments.ToString() ?? "", answer.FinishReason is ChatFinishReason.Stop or ChatFinishReason.ToolCalls);
    }

    private static ResponsesClient Responses(Uri gateway) =>
        new(new ApiKeyCredential(Key), new ResponsesClientOptions { Endpoint = new Uri(gateway, "v1"), RetryPolicy = new ClientRetryPolicy(0) });

    private static CreateResponseOptions ResponseOptions(string prompt, bool streaming)
    {
        var options = new CreateResponseOptions { Model = Model, StreamingEnabled = streaming };
        options.InputItems.Add(ResponseItem.CreateUserMessageItem(prompt));
        options.Tools.Add(ResponseTool.CreateFunctionTool(JudgedAnswer.ToolName, BinaryData.FromString(Schema), false, "Searches."));
        return options;
    }

    /// <summary>The pieces that were shown and the response at the end have to be the same answer.</summary>
    private static async Task<JudgedReply> ResponseStreamAsync(Uri gateway, string prompt, CancellationToken cancel)
    {
        StringBuilder text = new(), arguments = new();
        JudgedReply? whole = null;
        await foreach (var update in await Responses(gateway).CreateResponseStreamingAsync(ResponseOptions(prompt, streaming: true), cancel))
        {
            switch (update)
            {
                case StreamingResponseOutputTextDeltaUpdate delta:
                    text.Append(delta.Delta);
                    break;
                case StreamingResponseFunctionCallArgumentsDeltaUpdate delta:
                    arguments.Append(delta.Delta);
                    break;
                case StreamingResponseCompletedUpdate completed:
                    whole = Read(completed.Response);
                    break;
            }
        }

        var same = whole is not null && whole.Text == text.ToString() && whole.CallArguments == arguments.ToString();
        return new(text.ToString(), whole?.CallName, arguments.ToString(), same && whole!.Ended);
    }

    private static async Task<JudgedReply> ResponseAsync(Uri gateway, string prompt, CancellationToken cancel) =>
        Read(await Responses(gateway).CreateResponseAsync(ResponseOptions(prompt, streaming: false), cancel));

    private static JudgedReply Read(ResponseResult response)
    {
        var call = response.OutputItems.OfType<FunctionCallResponseItem>().SingleOrDefault();
        return new(response.GetOutputText() ?? "", call?.FunctionName, call?.FunctionArguments.ToString() ?? "", response.Status == ResponseStatus.Completed);
    }

    // The SDK would take a token from the environment.
    private static AnthropicClient Messages(Uri gateway) =>
        new() { BaseUrl = gateway.GetLeftPart(UriPartial.Authority), ApiKey = Key, AuthToken = null, MaxRetries = 0 };

    private static MessageCreateParams Message(string prompt) => new()
    {
        MaxTokens = 1000,
        Model = Model,
        Messages = [new UserMessageParam(prompt)],
        Tools = [new Tool { Name = JudgedAnswer.ToolName, InputSchema = new(JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(Schema)!) }],
    };

    private static async Task<JudgedReply> MessageStreamAsync(Uri gateway, string prompt, CancellationToken cancel)
    {
        StringBuilder text = new(), arguments = new();
        string? name = null;
        var (stopped, ended) = (false, false);
        using var client = Messages(gateway);
        await foreach (var update in client.Messages.CreateStreaming(Message(prompt), cancel))
        {
            if (update.TryPickContentBlockStart(out var start) && start.ContentBlock.TryPickToolUse(out var call))
            {
                name = call.Name;
            }
            else if (update.TryPickContentBlockDelta(out var delta))
            {
                text.Append(delta.Delta.TryPickText(out var piece) ? piece.Text : "");
                arguments.Append(delta.Delta.TryPickInputJson(out var input) ? input.PartialJson : "");
            }

            stopped |= update.TryPickDelta(out var end) && end.Delta.StopReason is not null;
            ended |= update.TryPickStop(out _);
        }

        return new(text.ToString(), name, arguments.ToString(), stopped && ended);
    }

    private static async Task<JudgedReply> MessageAsync(Uri gateway, string prompt, CancellationToken cancel)
    {
        using var client = Messages(gateway);
        var message = await client.Messages.Create(Message(prompt), cancel);
        var text = new StringBuilder();
        var (name, arguments) = (default(string), "");
        foreach (var block in message.Content)
        {
            text.Append(block.TryPickText(out var piece) ? piece.Text : "");
            if (block.TryPickToolUse(out var call))
            {
                (name, arguments) = (call.Name, JsonSerializer.Serialize(call.Input));
            }
        }

        return new(text.ToString(), name, arguments, message.StopReason is not null);
    }
}
