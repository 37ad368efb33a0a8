using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using FedChain.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace FedChain.Network.Content;

/// <summary>
/// A member's content endpoint: blocks by the IPFS trustless-gateway specification (<see cref="TrustlessGateway"/>), and beside them
/// <code>
/// GET /fedchain/v1/health                        200 {"ok":true}
/// GET /fedchain/v1/holdings/{round}              the member's signed holdings of a round, as JSON
/// GET /fedchain/v1/payload/{digest}?to={reader}  a payload, sealed to that member (an id) or auditor (an address)
/// GET /fedchain/v1/reach/{member}                whether that member's published endpoints answer from here, as JSON
/// </code>
/// Errors are plain text: 400 for what can't be read, 401 for a missing or wrong token where one is asked for, 404 for what isn't here, 500 for a corrupted block, 503 when it is too busy.
/// Who reads an answer too slowly is cut off (<see cref="PacedBody"/>), so that nobody holds what others wait for.
/// </summary>
public sealed class ContentGateway : IAsyncDisposable
{
    private const string HealthPath = "/fedchain/v1/health";

    private readonly WebApplication _application;
    private readonly IFederationContent? _federation;
    private readonly ContentGatewayOptions _options;
    private readonly SemaphoreSlim _payloads;
    private readonly ReachProbe _reach;

    private ContentGateway(WebApplication application, IContentStore store, IFederationContent? federation, ContentGatewayOptions options)
    {
        _application = application;
        _federation = federation;
        _options = options;
        _payloads = new SemaphoreSlim(options.MaxPayloads);
        _reach = new ReachProbe(options);
        var blocks = new TrustlessGateway(store);
        application.Use(GuardAsync);
        if (options.Token is { } token)
        {
            var expected = SHA256.HashData(Encoding.UTF8.GetBytes($"Bearer {token}"));
            application.Use((context, next) => AuthoriseAsync(context, next, expected));
        }

        string[] methods = [HttpMethods.Get, HttpMethods.Head];
        application.MapMethods("/ipfs/{cid}/{**path}", methods, blocks.ServeAsync);
        if (IsOpen)
        {
            application.MapMethods("/ipfs/{cid}/{**path}", [HttpMethods.Options], Permit);
        }

        application.MapMethods(HealthPath, methods, context => WriteJsonAsync(context, """{"ok":true}"""u8.ToArray()));
        application.MapMethods("/fedchain/v1/holdings/{round}", methods, ServeHoldingsAsync);
        application.MapMethods("/fedchain/v1/payload/{digest}", [HttpMethods.Get], ServePayloadAsync);
        application.MapMethods("/fedchain/v1/reach/{member}", [HttpMethods.Get], ServeReachAsync);
    }

    /// <summary>Where it listens, with the port that was taken.</summary>
    public Uri BaseAddress { get; private set; } = null!;

    private bool IsOpen => _options.Token is null;

    /// <summary>Starts to serve.</summary>
    /// <param name="store">The blocks.</param>
    /// <param name="federation">Holdings and payloads; null to serve blocks only.</param>
    /// <param name="options">Address, port and limits.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="IOException">The port is taken, or the address isn't this machine's.</exception>
    public static async Task<ContentGateway> StartAsync(
        IContentStore store, IFederationContent? federation, ContentGatewayOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);

        var builder = QuietServer.CreateBuilder(
            new IPEndPoint(options.Address, options.Port), options.MaxConnections, options.StopPatience, options.Logging, options.Certificate);
        var gateway = new ContentGateway(builder.Build(), store, federation, options);
        await gateway._application.StartAsync(cancellationToken);
        gateway.BaseAddress = new Uri(gateway._application.Urls.Single());
        return gateway;
    }

    /// <summary>Stops taking requests, lets those in progress end within <see cref="ContentGatewayOptions.StopPatience"/>, then cuts them off.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
        _payloads.Dispose();
        _reach.Dispose();
    }

    internal static Task WriteErrorAsync(HttpContext context, HttpStatusCode status, string reason)
    {
        context.Response.StatusCode = (int)status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(reason + "\n", context.RequestAborted);
    }

    /// <summary>The one place where failures become answers. Once bytes have left, all that can be done is to cut the connection, which the reader notices.</summary>
    private async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        SetCommonHeaders(context);
        context.Response.Body = new PacedBody(context.Response.Body, _options);
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            var log = _options.Logging.CreateLogger<ContentGateway>();
            log.LogWarning(e, "{Path} failed", context.Request.Path);
            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }

            context.Response.Headers.Clear();
            SetCommonHeaders(context);
            if (e is CorruptBlockException corrupt)
            {
                context.Response.Headers[TrustlessGateway.CorruptHeader] = corrupt.Cid.ToString();
                await WriteErrorAsync(context, HttpStatusCode.InternalServerError, $"Block {corrupt.Cid} is corrupted in this store; it isn't served.");
            }
            else
            {
                await WriteErrorAsync(context, HttpStatusCode.InternalServerError, "This endpoint failed; its operator's log says why.");
            }
        }
    }

    /// <summary>
    /// Browsers let the pages of any origin read blocks, which are for everybody and are checked by who reads them; not where a token is asked for. The
    /// headers are those that gateways of IPFS send, with what this one says itself.
    /// </summary>
    private void SetCommonHeaders(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        if (IsOpen && context.Request.Path.StartsWithSegments("/ipfs", StringComparison.OrdinalIgnoreCase))
        {
            headers.AccessControlAllowOrigin = "*";
            headers.AccessControlAllowMethods = "GET, HEAD, OPTIONS";
            headers.AccessControlAllowHeaders = "Content-Type, Range, User-Agent, X-Requested-With";
            headers.AccessControlExposeHeaders = $"Content-Length, ETag, X-Ipfs-Path, X-Ipfs-Roots, {TrustlessGateway.CorruptHeader}";
        }
    }

    /// <summary>What a browser asks before a request that a page couldn't make without scripts; the headers are the answer.</summary>
    private static Task Permit(HttpContext context)
    {
        context.Response.StatusCode = (int)HttpStatusCode.NoContent;
        return Task.CompletedTask;
    }

    /// <summary>Health tells nothing, and is asked for by those who watch over machines.</summary>
    private static Task AuthoriseAsync(HttpContext context, RequestDelegate next, byte[] expected)
    {
        var given = SHA256.HashData(Encoding.UTF8.GetBytes(context.Request.Headers.Authorization.ToString()));
        if (context.Request.Path == HealthPath || CryptographicOperations.FixedTimeEquals(given, expected))
        {
            return next(context);
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        return WriteErrorAsync(context, HttpStatusCode.Unauthorized, "This endpoint serves those who send the federation's token, as in 'Authorization: Bearer TOKEN'.");
    }

    private async Task ServeHoldingsAsync(HttpContext context)
    {
        var text = (string)context.GetRouteValue("round")!;
        if (!ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var round))
        {
            await WriteErrorAsync(context, HttpStatusCode.BadRequest, "A round is a number, as in /fedchain/v1/holdings/7.");
            return;
        }

        var holdings = _federation is null ? null : await _federation.HoldingsAsync(new RoundId(round), context.RequestAborted);
        await (holdings is null
            ? WriteErrorAsync(context, HttpStatusCode.NotFound, $"There are no holdings of round {round} here.")
            : WriteJsonAsync(context, holdings));
    }

    private async Task ServePayloadAsync(HttpContext context)
    {
        if (!Hash256.TryParse((string)context.GetRouteValue("digest")!, out var digest)
            || !PayloadReader.TryParse(context.Request.Query["to"], out var to))
        {
            await WriteErrorAsync(context, HttpStatusCode.BadRequest, "A payload is asked for as /fedchain/v1/payload/0x{64 hex digits}?to={member id, or an auditor's address}.");
            return;
        }

        // Sealing costs a core; anybody may ask.
        if (!await _payloads.WaitAsync(_options.PayloadPatience, context.RequestAborted))
        {
            context.Response.Headers.RetryAfter = "5";
            await WriteErrorAsync(context, HttpStatusCode.ServiceUnavailable, "Other payloads are being sealed; ask again.");
            return;
        }

        try
        {
            context.Response.ContentType = "application/octet-stream";
            context.Response.Headers.CacheControl = "no-store"; // sealed anew each time
            if (_federation is null || !await _federation.WritePayloadAsync(digest, to, context.Response.Body, context.RequestAborted))
            {
                await WriteErrorAsync(context, HttpStatusCode.NotFound, $"Payload {digest} isn't held here for {to}.");
            }
        }
        finally
        {
            _payloads.Release();
        }
    }

    /// <summary>Only what members have published is tried, so that nobody can have this peer call something else.</summary>
    private async Task ServeReachAsync(HttpContext context)
    {
        var text = (string)context.GetRouteValue("member")!;
        if (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var member))
        {
            await WriteErrorAsync(context, HttpStatusCode.BadRequest, "A member is a number, as in /fedchain/v1/reach/2.");
            return;
        }

        if (_federation?.EndpointsOf(new MemberId(member)) is not { } endpoints)
        {
            await WriteErrorAsync(context, HttpStatusCode.NotFound, $"There is no member {member}.");
            return;
        }

        if (await _reach.TryAsync(endpoints, context.RequestAborted) is not { } answers)
        {
            context.Response.Headers.RetryAfter = "5";
            await WriteErrorAsync(context, HttpStatusCode.ServiceUnavailable, "Other members' endpoints are being tried; ask again.");
            return;
        }

        await WriteJsonAsync(context, EndpointAnswer.Write(answers));
    }

    private static async Task WriteJsonAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(json, context.RequestAborted);
        }
    }
}
