namespace FedChain.Network.Chain;

/// <summary>
/// Chooses which of several nodes to ask: the first in the order given that is not passed over. One that fails, is on another chain, lies or lags
/// behind the others rests, at first for <see cref="ChainOptions.ProviderRest"/> and twice as long each time, and is looked at again before it is asked again.
/// With a single node there is no choice, and nothing beside the caller's own requests is asked. Safe for several threads.
/// </summary>
internal sealed class ProviderPool
{
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LiarRest = TimeSpan.FromHours(1);
    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly List<Entry> _entries;
    private readonly ChainOptions _options;
    private readonly TimeProvider _time;
    private Entry _inUse;
    private ulong? _chainId;
    private DateTimeOffset _lookAt;
    private Task? _firstLook;
    private bool _looking;

    /// <exception cref="ArgumentException">There is none.</exception>
    public ProviderPool(IReadOnlyList<RpcProvider> providers, ChainOptions options, TimeProvider time)
    {
        if (providers.Count == 0)
        {
            throw new ArgumentException("A chain needs at least one RPC endpoint.", nameof(providers));
        }

        _entries = [.. providers.Select(p => new Entry(p))];
        (_options, _time, _inUse, _chainId) = (options, time, _entries[0], options.ChainId);
    }

    /// <summary>Is told when another node is chosen than before.</summary>
    public Action<ProviderChange> Changed { get; set; } = _ => { };

    public Uri Current
    {
        get
        {
            lock (_lock)
            {
                return _inUse.Provider.Endpoint;
            }
        }
    }

    public IReadOnlyList<ProviderStatus> Status
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries.Select(e => new ProviderStatus(e.Provider.Endpoint, e == _inUse, e.Head, e.Fault))];
            }
        }
    }

    /// <exception cref="ChainException">The nodes are on different chains, and it isn't known which is meant; or none is on the one that is.</exception>
    public async Task<RpcProvider> ChooseAsync(CancellationToken cancellation)
    {
        if (_entries.Count > 1)
        {
            Task first;
            lock (_lock)
            {
                first = _firstLook ??= LookAsync();
            }

            await first.WaitAsync(cancellation);
            if (TryBeginLook())
            {
                _ = LookBesideAsync(); // nobody waits for a node that rests
            }
        }

        ProviderChange? change = null;
        lock (_lock)
        {
            var best = _entries.Find(e => e.Fault is null) ?? _entries.Where(e => !e.IsBarred).MinBy(e => e.RestsUntil)
                ?? throw new ChainException($"None of the RPC addresses can be used. {string.Join(" ", _entries.Select(e => $"{e.Provider.Endpoint.Authority}: {e.Fault}"))}");
            if (best != _inUse)
            {
                change = new ProviderChange(_inUse.Provider.Endpoint.Authority, best.Provider.Endpoint.Authority, _inUse.Fault);
                _inUse = best;
            }
        }

        if (change is not null)
        {
            Changed(change);
        }

        return _inUse.Provider;
    }

    /// <summary>Notes what a node did wrong. Whether there is another to ask at once.</summary>
    public bool PassOver(RpcProvider provider, string fault)
    {
        lock (_lock)
        {
            _entries.Find(e => e.Provider == provider)!.Rest(fault, _options.ProviderRest, _time.GetUtcNow());
            return _entries.Exists(e => e.Fault is null);
        }
    }

    /// <summary>Asks a node that has lied nothing for an hour, not even if all others fail, unless it is the only one. Whether there is another.</summary>
    public bool Drop(RpcProvider provider, string lie)
    {
        lock (_lock)
        {
            var liar = _entries.Find(e => e.Provider == provider)!;
            if (!_entries.Exists(e => e != liar && !e.IsBarred))
            {
                return false;
            }

            liar.Bar(lie, _time.GetUtcNow() + LiarRest);
            return true;
        }
    }

    /// <summary>Whether a node has turned out to be on another chain than the one that is meant, as when an address leads elsewhere; it isn't asked then.</summary>
    /// <exception cref="ChainException">It is the only one; or it gave no answer.</exception>
    public async Task<bool> IsElsewhereAsync(RpcProvider provider, CancellationToken cancellation)
    {
        ulong? expected;
        lock (_lock)
        {
            expected = _chainId;
        }

        if (expected is null || RpcJson.UInt64((await provider.SendAsync([new("eth_chainId")], cancellation))[0].Value) is var found && found == expected)
        {
            return false;
        }

        lock (_lock)
        {
            if (_entries.Count == 1)
            {
                throw new ChainException($"The node at {provider.Endpoint.Authority} is on chain {found} now, not {expected}. What was read of that is kept until it is back.") { IsTransient = true };
            }

            _entries.Find(e => e.Provider == provider)!.Bar($"It is on chain {found}, not {expected}.", _time.GetUtcNow() + LongestRest);
            return true;
        }
    }

    /// <summary>A node that rested, and was asked because all did, works again.</summary>
    public void Confirm(RpcProvider provider)
    {
        lock (_lock)
        {
            if (_entries.Find(e => e.Provider == provider) is { Fault: not null, IsBarred: false } entry)
            {
                entry.Clear();
            }
        }
    }

    private async Task LookBesideAsync()
    {
        try
        {
            await LookAsync();
        }
        catch (ObjectDisposedException)
        {
            // the client was closed meanwhile
        }
        finally
        {
            lock (_lock)
            {
                _looking = false;
            }
        }
    }

    private bool TryBeginLook()
    {
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            return !_looking && (now >= _lookAt || _entries.Exists(e => e.Fault is not null && now >= e.RestsUntil)) && (_looking = true);
        }
    }

    /// <summary>Asks every node that doesn't rest for its chain and its latest block, side by side.</summary>
    private async Task LookAsync()
    {
        List<Entry> due;
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            due = _entries.FindAll(e => e.Fault is null || now >= e.RestsUntil);
        }

        var found = await Task.WhenAll(due.Select(e => LookAtAsync(e.Provider)));
        lock (_lock)
        {
            var answers = due.Zip(found).Where(f => f.Second.Error is null).ToList();
            _chainId ??= answers.Select(a => a.Second.ChainId).Distinct().ToList() switch
            {
                [] => null,
                [var only] => only,
                _ => throw new ChainException($"The RPC addresses lead to different chains: {string.Join(", ", answers.Select(a => $"{a.First.Provider.Endpoint.Authority} to chain {a.Second.ChainId}"))}. Give addresses of one chain only."),
            };
            var highest = answers.Where(a => a.Second.ChainId == _chainId).Select(a => a.Second.Head).DefaultIfEmpty().Max();
            foreach (var (entry, (chainId, head, error)) in due.Zip(found))
            {
                if (error is not null)
                {
                    entry.Rest(error, _options.ProviderRest, _time.GetUtcNow());
                }
                else if (chainId != _chainId)
                {
                    entry.Bar($"It is on chain {chainId}, not {_chainId}.", _time.GetUtcNow() + LongestRest);
                }
                else if (head + _options.MaxLag < highest)
                {
                    entry.Rest($"Its latest block, {head}, is {highest - head} behind the others'.", _options.ProviderRest, _time.GetUtcNow());
                }
                else
                {
                    entry.Clear();
                }

                entry.Head = error is null ? head : entry.Head;
            }

            _lookAt = _time.GetUtcNow() + _options.ProviderLookInterval;
        }
    }

    private async Task<(ulong ChainId, ulong Head, string? Error)> LookAtAsync(RpcProvider provider)
    {
        using var limit = new CancellationTokenSource(LookLimit, _time);
        try
        {
            var replies = await provider.SendAsync([new("eth_chainId"), new("eth_blockNumber")], limit.Token);
            return (RpcJson.UInt64(replies[0].Value), RpcJson.UInt64(replies[1].Value), null);
        }
        catch (ChainException e)
        {
            return (0, 0, e.Message);
        }
        catch (OperationCanceledException)
        {
            return (0, 0, $"It gave no answer within {LookLimit.TotalSeconds} s.");
        }
    }

    private sealed class Entry(RpcProvider provider)
    {
        private int _faults;

        public RpcProvider Provider => provider;

        public ulong? Head { get; set; }

        public string? Fault { get; private set; }

        /// <summary>Whether it isn't asked even if all others fail: it would tell of another chain, or lie.</summary>
        public bool IsBarred { get; private set; }

        public DateTimeOffset RestsUntil { get; private set; }

        public void Rest(string fault, TimeSpan shortest, DateTimeOffset now)
        {
            var rest = TimeSpan.FromTicks(Math.Min(LongestRest.Ticks, shortest.Ticks << Math.Min(_faults++, 16)));
            (Fault, RestsUntil) = (fault, now + rest);
        }

        public void Bar(string fault, DateTimeOffset until) => (Fault, IsBarred, RestsUntil) = (fault, true, until);

        public void Clear() => (Fault, IsBarred, _faults) = (null, false, 0);
    }
}
