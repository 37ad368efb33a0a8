using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>
/// Asks endpoints that nobody vouches for: no redirects, no cookies, no proxies, no compression, addresses checked after the name was
/// resolved, and bodies bounded in size and time. Every failure is a <see cref="FetchException"/>.
/// </summary>
internal sealed class EndpointClient : IDisposable
{
    private readonly ContentFetcherOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    /// <param name="options">What is accepted.</param>
    /// <param name="time">For patience.</param>
    /// <param name="pinned">The one certificate that is trusted, whatever its names and issuers; null for those that the system trusts.</param>
    public EndpointClient(ContentFetcherOptions options, TimeProvider time, X509Certificate2? pinned = null)
    {
        _options = options;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = ConnectAsync,
            ConnectTimeout = options.ConnectTimeout,
            MaxConnectionsPerServer = 16,
            MaxResponseHeadersLength = 16,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // so that names are resolved again
            UseCookies = false,
            UseProxy = false,
        };
        if (pinned is not null)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null && pinned.RawDataMemory.Span.SequenceEqual(shown.GetRawCertData());
        }

        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan }; // EndpointBody keeps time
    }

    /// <summary>Asks for a path under the endpoint; returns its body, of at most <paramref name="maxBytes"/>.</summary>
    public async Task<EndpointBody> GetAsync(Uri endpoint, string path, string? accept, long maxBytes, CancellationToken cancellationToken)
    {
        if (!endpoint.IsAbsoluteUri || endpoint.Scheme is not ("http" or "https") || endpoint.UserInfo.Length > 0 || endpoint.Query.Length > 0 || endpoint.Fragment.Length > 0)
        {
            throw new FetchException(FetchFailure.NotAllowed, "an endpoint is an http or https URL without a password or a query");
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, endpoint.AbsoluteUri.TrimEnd('/') + path);
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        if (_options.Token is { } token && (endpoint.Scheme == Uri.UriSchemeHttps || _options.AllowPrivateAddresses))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        var patience = new TransferClock(_options, _time);
        HttpResponseMessage response;
        try
        {
            response = await patience.WaitAsync(
                cancel => new ValueTask<HttpResponseMessage>(_http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel)), cancellationToken);
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException untrusted)
        {
            throw new FetchException(FetchFailure.Unreachable, $"its certificate isn't trusted here ({untrusted.Message})", e);
        }
        catch (HttpRequestException e)
        {
            throw e.InnerException is FetchException refused ? refused : new FetchException(FetchFailure.Unreachable, $"unreachable ({ReasonOf(e)})", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new FetchException(FetchFailure.Unreachable, $"unreachable (no connection within {_options.ConnectTimeout.TotalSeconds:0} s)", e);
        }

        try
        {
            CheckAnswer(response, maxBytes);
            return new EndpointBody(response, await response.Content.ReadAsStreamAsync(cancellationToken), maxBytes, patience);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public void Dispose() => _http.Dispose();

    // Nothing that the endpoint writes is repeated, except a CID: reasons are printed on people's terminals.
    private static void CheckAnswer(HttpResponseMessage response, long maxBytes)
    {
        var status = (int)response.StatusCode;
        if (status is 404 or 410)
        {
            throw new FetchException(FetchFailure.NotFound, "it hasn't got it");
        }

        if (status == 500 && response.Headers.TryGetValues(TrustlessGateway.CorruptHeader, out var named) && Cid.TryParse(named.First(), out var corrupt))
        {
            throw new FetchException(FetchFailure.CorruptThere, $"its copy of block {corrupt} is corrupted");
        }

        if (status != 200)
        {
            var what = status switch
            {
                401 => " (it asks for a token that wasn't sent, or is another one)",
                >= 300 and < 400 => " (redirects aren't followed)",
                429 or 503 => " (too busy)",
                _ => "",
            };
            throw new FetchException(FetchFailure.Refused, $"it answered with status {status}{what}");
        }

        if (response.Content.Headers.ContentLength > maxBytes)
        {
            throw new FetchException(FetchFailure.TooLarge, $"it states {response.Content.Headers.ContentLength} bytes; at most {maxBytes} are accepted");
        }
    }

    private static string ReasonOf(HttpRequestException e) =>
        e.InnerException is SocketException socket ? socket.SocketErrorCode.ToString() : e.HttpRequestError.ToString();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var endpoint = context.DnsEndPoint;
        var addresses = await Dns.GetHostAddressesAsync(endpoint.Host, cancellationToken);
        if (!_options.AllowPrivateAddresses)
        {
            addresses = [.. addresses.Where(PublicInternet.Contains)];
            if (addresses.Length == 0)
            {
                throw new FetchException(FetchFailure.NotAllowed, "its address isn't on the public Internet, and private addresses aren't allowed here");
            }
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, endpoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
