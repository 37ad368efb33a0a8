using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Unicode;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Chain;

/// <summary>One node's JSON-RPC 2.0 over HTTP. Every answer is matched to its request by id and bounded in size; nothing is repeated here.</summary>
internal sealed class RpcProvider(HttpClient http, Uri endpoint, ChainOptions options, TimeProvider time)
{
    private long _lastId;

    public Uri Endpoint => endpoint;

    /// <summary>Answers in the order of the requests. Errors of single requests are in their replies.</summary>
    /// <exception cref="ChainException">No answer, or a malformed one.</exception>
    public async Task<RpcReply[]> SendAsync(RpcRequest[] requests, CancellationToken cancellation)
    {
        var firstId = Interlocked.Add(ref _lastId, requests.Length) - requests.Length + 1;
        using var body = await PostAsync(Serialize(requests, firstId), cancellation);
        return ReadReplies(body.RootElement, requests, firstId);
    }

    private static byte[] Serialize(RpcRequest[] requests, long firstId)
    {
        var messages = requests.Select((r, i) => new { jsonrpc = "2.0", id = firstId + i, method = r.Method, @params = r.Parameters }).ToArray();
        return messages.Length == 1 ? JsonSerializer.SerializeToUtf8Bytes(messages[0]) : JsonSerializer.SerializeToUtf8Bytes(messages);
    }

    private async Task<JsonDocument> PostAsync(byte[] message, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(options.RequestTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new ByteArrayContent(message) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode)
            {
                throw new ChainException($"The node at {endpoint.Authority} answered HTTP {(int)response.StatusCode} {response.ReasonPhrase}.")
                {
                    IsTransient = response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)response.StatusCode >= 500,
                    IsTooMuch = response.StatusCode == HttpStatusCode.RequestEntityTooLarge,
                };
            }

            return await ReadAsync(response.Content, either.Token);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new ChainException($"The node at {endpoint.Authority} can't be reached: {e.Message} Check the RPC address and that the node runs.", e) { IsTransient = true };
        }
        catch (JsonException e)
        {
            throw new ChainException($"The node at {endpoint.Authority} answered something else than JSON. Is this a JSON-RPC address?", e);
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new ChainException($"The node at {endpoint.Authority} gave no answer within {options.RequestTimeout.TotalSeconds} s.", e) { IsTransient = true, IsTimeout = true };
        }
    }

    private async Task<JsonDocument> ReadAsync(HttpContent content, CancellationToken cancellation)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellation);
        using var buffer = new MemoryStream();
        var chunk = new byte[1 << 16];
        for (int read; (read = await stream.ReadAsync(chunk, cancellation)) > 0;)
        {
            if (buffer.Length + read > options.MaxResponseBytes)
            {
                throw new ChainException($"The node at {endpoint.Authority} answered more than the {options.MaxResponseBytes} bytes that are allowed.") { IsTooMuch = true };
            }

            buffer.Write(chunk, 0, read);
        }

        if (!Utf8.IsValid(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)))
        {
            throw new JsonException("It is not UTF-8."); // the parser would let it pass inside of texts
        }

        RequireWholeTexts(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
        return JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
    }

    /// <summary>The parser lets an escaped half of a surrogate pair pass, and then fails whoever asks for the text or for a field beside it.</summary>
    private static void RequireWholeTexts(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf("\\u"u8) < 0)
        {
            return;
        }

        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
            {
                _ = reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName ? reader.GetString() : null;
            }
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("A text in it has half of a surrogate pair.", e);
        }
    }

    private RpcReply[] ReadReplies(JsonElement root, RpcRequest[] requests, long firstId)
    {
        var replies = new RpcReply?[requests.Length];
        if (requests.Length == 1 && root.ValueKind == JsonValueKind.Object)
        {
            ReadReply(root, replies, requests, firstId);
        }
        else if (root.ValueKind == JsonValueKind.Array)
        {
            foreach (var reply in root.EnumerateArray())
            {
                ReadReply(reply, replies, requests, firstId);
            }
        }
        else if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
        {
            throw ReadError(error, "a batch");
        }

        return [.. replies.Select((r, i) => r ?? throw Malformed($"no answer to {requests[i].Method}"))];
    }

    private void ReadReply(JsonElement reply, RpcReply?[] replies, RpcRequest[] requests, long firstId)
    {
        var hasId = reply.ValueKind == JsonValueKind.Object && reply.TryGetProperty("id", out var id);
        if (hasId && reply.GetProperty("id") is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var value)
            && value >= firstId && value < firstId + replies.Length && replies[value - firstId] is null)
        {
            var at = (int)(value - firstId);
            replies[at] = reply.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object
                ? new RpcReply(default, ReadError(error, requests[at].Method), this)
                : reply.TryGetProperty("result", out var result)
                    ? new RpcReply(result.Clone(), null, this)
                    : throw Malformed($"neither a result nor an error for {requests[at].Method}");
        }
        else if (hasId && reply.GetProperty("id").ValueKind == JsonValueKind.Null && reply.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
        {
            throw ReadError(error, "the request");
        }
        else
        {
            throw Malformed("an answer to a request that was not made");
        }
    }

    private ChainException ReadError(JsonElement error, string method)
    {
        var code = error.TryGetProperty("code", out var c) && c.ValueKind == JsonValueKind.Number && c.TryGetInt32(out var n) ? n : 0;
        var message = error.TryGetProperty("message", out var m) && m.ValueKind == JsonValueKind.String ? m.GetString()! : "no message";
        var refusal = RevertData(error) is { } data
            ? ContractRefusal.Decode(data)
            : code == 3 || message.Contains("revert", StringComparison.OrdinalIgnoreCase) ? ContractRefusal.WithoutReason : null;
        return new ChainException(refusal is null ? $"The node refused {method}: {message} (code {code})." : $"The contract refused: {refusal}.")
        {
            Code = code,
            Refusal = refusal,
            IsTransient = refusal is null && RpcErrors.IsTransient(code, message),
            IsTooMuch = RpcErrors.IsTooMuch(code, message),
        };
    }

    /// <summary>Geth and anvil put the revert's bytes into data, Hardhat into data.data.</summary>
    private static byte[]? RevertData(JsonElement error)
    {
        if (!error.TryGetProperty("data", out var data))
        {
            return null;
        }

        if (data.ValueKind == JsonValueKind.Object && data.TryGetProperty("data", out var inner))
        {
            data = inner;
        }

        return data.ValueKind == JsonValueKind.String && RpcJson.TryReadBytes(data.GetString()!, out var bytes) ? bytes : null;
    }

    private ChainException Malformed(string found) => new($"The node at {endpoint.Authority} answered what JSON-RPC does not allow: {found}.");
}
