using System.Text.Json;

namespace FedChain.Network.Chain;

/// <summary>
/// JSON-RPC in batches, through one node or several (<see cref="ProviderPool"/>). This is the one place that repeats requests after transient failures,
/// at the next node at once, at the last one after a wait; repeating is safe for all of them, since a transaction sent twice is the same transaction.
/// </summary>
internal sealed class JsonRpcClient(ProviderPool providers, ChainOptions options, TimeProvider time)
{
    public JsonRpcClient(HttpClient http, IEnumerable<Uri> endpoints, ChainOptions options, TimeProvider time)
        : this(new ProviderPool([.. endpoints.Select(e => new RpcProvider(http, e, options, time))], options, time), options, time)
    {
    }

    public ProviderPool Providers => providers;

    /// <exception cref="ChainException">No answer, a malformed one, or the node's error.</exception>
    public async Task<JsonElement> CallAsync(RpcRequest request, CancellationToken cancellation) => (await BatchAsync([request], cancellation))[0].Value;

    /// <summary>Answers in the order of the requests, those of up to <see cref="ChainOptions.MaxBatch"/> from one node. Errors of single requests are in their replies.</summary>
    /// <exception cref="ChainException">No answer, or a malformed one.</exception>
    public async Task<RpcReply[]> BatchAsync(IReadOnlyList<RpcRequest> requests, CancellationToken cancellation)
    {
        var replies = new List<RpcReply>(requests.Count);
        foreach (var chunk in requests.Chunk(options.MaxBatch))
        {
            replies.AddRange(await SendAsync(chunk, isDivisible: false, cancellation));
        }

        return [.. replies];
    }

    /// <summary>A request that can be made for less: one that takes too long, or asks for too much, is left to the caller to divide.</summary>
    /// <exception cref="ChainException">As for <see cref="CallAsync"/>; with <see cref="ChainException.IsTooMuch"/> if less may be answered.</exception>
    public async Task<RpcReply> CallDivisibleAsync(RpcRequest request, CancellationToken cancellation) => (await SendAsync([request], isDivisible: true, cancellation))[0];

    private async Task<RpcReply[]> SendAsync(RpcRequest[] requests, bool isDivisible, CancellationToken cancellation)
    {
        var delay = options.RetryDelay;
        for (var attempt = 0; ; attempt++)
        {
            for (var isLast = false; !isLast;)
            {
                var provider = await providers.ChooseAsync(cancellation);
                try
                {
                    var replies = await provider.SendAsync(requests, cancellation);
                    if (replies.Select(r => r.Error).FirstOrDefault(e => e is { IsTransient: true } && !(isDivisible && e.IsTooMuch)) is not { } error)
                    {
                        providers.Confirm(provider);
                        return replies;
                    }

                    isLast = !providers.PassOver(provider, error.Message);
                    if (isLast && attempt == options.Retries)
                    {
                        return replies;
                    }
                }
                catch (ChainException e) when (isDivisible && e.IsTimeout)
                {
                    throw new ChainException(e.Message, e) { IsTooMuch = true, IsTransient = true };
                }
                catch (ChainException e) when (!(isDivisible && e.IsTooMuch))
                {
                    isLast = !providers.PassOver(provider, e.Message);
                    if (isLast && (!e.IsTransient || attempt == options.Retries))
                    {
                        throw;
                    }
                }
            }

            await Task.Delay(delay, time, cancellation);
            delay *= 2;
        }
    }
}
