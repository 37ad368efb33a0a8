using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace FedChain.Network.Content;

/// <summary>
/// Tries whether members' endpoints answer from here, on behalf of whoever asks: by the same rules as fetching, one member at a time, all its
/// endpoints at once and briefly, and not again for a while. So however often it is asked, it makes little traffic.
/// </summary>
public sealed class ReachProbe : IDisposable
{
    private const int MaxAnswer = 256;
    private const int MaxRemembered = 256;

    private readonly ContentGatewayOptions _options;
    private readonly EndpointClient _client;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly ConcurrentDictionary<string, (long At, IReadOnlyList<EndpointAnswer> Answers)> _found = [];

    /// <param name="options">Whether private addresses are tried, patience and memory; the rest doesn't matter here.</param>
    /// <param name="pinned">The one certificate that is trusted, whatever its names; null for those that the system trusts.</param>
    public ReachProbe(ContentGatewayOptions options, X509Certificate2? pinned = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _client = new EndpointClient(
            new ContentFetcherOptions { AllowPrivateAddresses = options.AllowPrivateAddresses, ConnectTimeout = options.ReachPatience, Patience = options.ReachPatience }, options.Time,
            pinned);
    }

    /// <summary>Asks each endpoint for its health; answers in the order of the endpoints.</summary>
    /// <returns>Null if others are being tried for too long.</returns>
    public async Task<IReadOnlyList<EndpointAnswer>?> TryAsync(IReadOnlyList<Uri> endpoints, CancellationToken cancellationToken)
    {
        var key = string.Join(' ', endpoints);
        if (Remembered(key) is { } known)
        {
            return known;
        }

        if (!await _turn.WaitAsync(2 * _options.ReachPatience, cancellationToken))
        {
            return null;
        }

        try
        {
            if (Remembered(key) is { } found)
            {
                return found;
            }

            var answers = await Task.WhenAll(endpoints.Select(endpoint => TryAsync(endpoint, cancellationToken)));
            if (_found.Count >= MaxRemembered)
            {
                _found.Clear();
            }

            _found[key] = (_options.Time.GetTimestamp(), answers);
            return answers;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _turn.Dispose();
    }

    private IReadOnlyList<EndpointAnswer>? Remembered(string key) =>
        _found.TryGetValue(key, out var known) && _options.Time.GetElapsedTime(known.At) < _options.ReachMemory ? known.Answers : null;

    private async Task<EndpointAnswer> TryAsync(Uri endpoint, CancellationToken cancellationToken)
    {
        var url = endpoint.AbsoluteUri.TrimEnd('/');
        try
        {
            await using var body = await _client.GetAsync(endpoint, "/fedchain/v1/health", "application/json", MaxAnswer, cancellationToken);
            return IsHealth(await body.ReadAllAsync(cancellationToken))
                ? new EndpointAnswer(url, Ok: true, "answers")
                : new EndpointAnswer(url, Ok: false, "something answers there that isn't a FedChain endpoint");
        }
        catch (FetchException e)
        {
            return new EndpointAnswer(url, Ok: false, e.Message);
        }
    }

    private static bool IsHealth(byte[] json)
    {
        try
        {
            using var answer = JsonDocument.Parse(json);
            return answer.RootElement.ValueKind == JsonValueKind.Object && answer.RootElement.TryGetProperty("ok", out var ok) && ok.ValueKind == JsonValueKind.True;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
