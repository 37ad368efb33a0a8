using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace FedChain.Network.Content;

/// <summary>
/// Kubo's RPC API (docs.ipfs.tech/reference/kubo/rpc): one POST for each command, arguments in the query, files as multipart, answers as JSON, a
/// line each, or as bytes. An error after the first byte comes in the trailer X-Stream-Error.
/// </summary>
internal sealed class KuboClient : IDisposable
{
    private const string ErrorTrailer = "X-Stream-Error";
    private const int MaxAnswer = 16 << 20; // a list of some 200,000 pins
    private const int MaxMessage = 300;

    private readonly KuboOptions _options;
    private readonly HttpClient _http;

    public KuboClient(KuboOptions options)
    {
        _options = options;
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // the secret goes to nobody else
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(2), // before the node closes it, or a request could meet the closing
            UseCookies = false,
            UseProxy = false,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public Uri Api => _options.Api;

    /// <summary>A command whose answer is one JSON object, or several of which the last counts.</summary>
    /// <exception cref="KuboException">The node fails, or answers something else.</exception>
    public async Task<JsonElement> CallAsync(string command, string query, HttpContent? body, TimeSpan patience, CancellationToken cancellationToken)
    {
        var bytes = await BytesAsync(command, query, body, MaxAnswer, patience, cancellationToken);
        try
        {
            var last = bytes.AsSpan().TrimEnd("\n\r "u8);
            last = last[(last.LastIndexOf((byte)'\n') + 1)..];
            using var document = JsonDocument.Parse(last.ToArray());
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : throw Garbage(command, "JSON that is no object");
        }
        catch (JsonException e)
        {
            throw Garbage(command, $"{bytes.Length} bytes that are no JSON", e);
        }
    }

    /// <summary>A command whose answer is bytes, at most <paramref name="maxBytes"/> of them.</summary>
    /// <exception cref="KuboException">As of <see cref="CallAsync"/>; or the answer is longer.</exception>
    public async Task<byte[]> BytesAsync(string command, string query, HttpContent? body, int maxBytes, TimeSpan patience, CancellationToken cancellationToken)
    {
        return await WithinAsync(command, patience, async cancel =>
        {
            await using var answer = await OpenAsync(command, query, body, cancel);
            using var bytes = new MemoryStream();
            var buffer = new byte[64 * 1024];
            while (await answer.ReadAsync(buffer, cancel) is > 0 and var read)
            {
                bytes.Write(buffer, 0, read);
                if (bytes.Length > maxBytes)
                {
                    throw Garbage(command, $"more than {maxBytes} bytes");
                }
            }

            return bytes.ToArray();
        }, cancellationToken);
    }

    /// <summary>A step of a longer command, for which the node has <see cref="KuboOptions.Patience"/>.</summary>
    /// <exception cref="KuboException">It took longer.</exception>
    public Task<T> WithPatienceAsync<T>(string command, Func<CancellationToken, Task<T>> step, CancellationToken cancellationToken) =>
        WithinAsync(command, _options.Patience, step, cancellationToken);

    /// <summary>A command whose answer is a stream of bytes. Reading it throws <see cref="KuboException"/> if the node breaks off.</summary>
    public async Task<Stream> OpenAsync(string command, string query, HttpContent? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Api.AbsoluteUri.TrimEnd('/')}/api/v0/{command}?{query}") { Content = body };
        request.Headers.Authorization = _options.Authorization;
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var reason = e.InnerException is SocketException socket ? socket.SocketErrorCode.ToString() : (e as HttpRequestException)?.HttpRequestError.ToString() ?? "no connection";
            throw new KuboException(
                $"The IPFS node at {Api} is unreachable ({reason}). Start it ('ipfs daemon'), or correct \"ipfs\" in home.json: the address of its RPC API, http://127.0.0.1:5001 unless it was changed.",
                isTransient: true, e);
        }

        try
        {
            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw Refusal(command, response.StatusCode, await MessageAsync(response, cancellationToken));
            }

            return new KuboAnswer(response, await response.Content.ReadAsStreamAsync(cancellationToken), this, command);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>The error that came in a trailer; null if none did.</summary>
    public KuboException? TrailingError(string command, HttpResponseMessage response) =>
        response.TrailingHeaders.TryGetValues(ErrorTrailer, out var errors) ? Failure(command, Printable(string.Join(' ', errors))) : null;

    public KuboException Garbage(string command, string came, Exception? inner = null) => new(
        $"The IPFS node at {Api} answered '{command}' with {came}, which isn't what Kubo's RPC API answers. Is something else listening there? Set \"ipfs\" in home.json to the node's RPC API.",
        isTransient: false, inner);

    public void Dispose() => _http.Dispose();

    private async Task<T> WithinAsync<T>(string command, TimeSpan patience, Func<CancellationToken, Task<T>> step, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(patience, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await step(either.Token);
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new KuboException($"The IPFS node at {Api} did not answer '{command}' within {patience.TotalSeconds:0} s. Is it overloaded?", isTransient: true, e);
        }
    }

    private KuboException Refusal(string command, HttpStatusCode status, string? message) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new KuboException(
            $"The IPFS node at {Api} refuses '{command}' with status {(int)status}. It asks for an Authorization header (API.Authorizations in its configuration): put its value into the file that \"ipfsAuthorizationFile\" in home.json names.",
            isTransient: false),
        HttpStatusCode.InternalServerError when message is not null => Failure(command, message),
        HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout or HttpStatusCode.TooManyRequests => new KuboException(
            $"The IPFS node at {Api} is too busy for '{command}' (status {(int)status}).", isTransient: true),
        _ => Garbage(command, $"status {(int)status}{(status == HttpStatusCode.MethodNotAllowed ? " (a gateway? its port is another)" : "")}"),
    };

    private KuboException Failure(string command, string message) =>
        new($"The IPFS node at {Api} failed at '{command}': {message}", isTransient: true);

    private static async Task<string?> MessageAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var start = new byte[4096];
            var length = await body.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken);
            using var json = JsonDocument.Parse(start.AsMemory(0, length));
            return json.RootElement.TryGetProperty("Message", out var message) && message.ValueKind == JsonValueKind.String ? Printable(message.GetString()!) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or HttpRequestException)
        {
            return null; // no answer of Kubo's; the caller says what came
        }
    }

    private static string Printable(string message) => new([.. message.Take(MaxMessage).Select(c => char.IsControl(c) ? ' ' : c)]);
}
