using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace FedChain.Tests;

/// <summary>What may happen to the bytes on their way.</summary>
public enum Fault
{
    /// <summary>The connection is cut.</summary>
    Drop,

    /// <summary>They come late.</summary>
    Delay,

    /// <summary>Half of them arrive, and then the connection is cut.</summary>
    Truncate,

    /// <summary>Sixteen of them are others.</summary>
    Corrupt,

    /// <summary>They come twice.</summary>
    Duplicate,
}

/// <summary>
/// A TCP proxy on 127.0.0.1 that harms some of what it forwards, in both directions, as a seed says: the same seed harms the nth piece of the mth
/// connection in the same way. Harmless until told otherwise; it can also be out altogether.
/// </summary>
public sealed class FaultyProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<TcpClient, bool> _open = [];
    private readonly ConcurrentDictionary<Fault, int> _injected = [];
    private readonly Uri _target;
    private readonly int _seed;
    private readonly Task _accepting;
    private volatile bool _isOut;

    /// <param name="target">Host and port to forward to.</param>
    /// <param name="seed">Of all that happens.</param>
    public FaultyProxy(Uri target, int seed)
    {
        (_target, _seed) = (target, seed);
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>The share of pieces, of up to 16 KiB each, that are harmed: 0, the default, to 1.</summary>
    public double Rate { get; set; }

    /// <summary>What is done to them; by default anything.</summary>
    public IReadOnlyList<Fault> Faults { get; set; } = Enum.GetValues<Fault>();

    /// <summary>How long a piece is late; by default 20 ms.</summary>
    public TimeSpan Lateness { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Whether nobody is served: connections are cut, and new ones too.</summary>
    public bool IsOut
    {
        get => _isOut;
        set
        {
            _isOut = value;
            foreach (var client in value ? _open.Keys : [])
            {
                client.Close();
            }
        }
    }

    /// <summary>How often each fault was injected.</summary>
    public IReadOnlyDictionary<Fault, int> Injected => _injected;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        IsOut = true;
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            for (var connection = 0; ; connection++)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token), connection));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client, int connection)
    {
        using var server = new TcpClient();
        _open[client] = true;
        try
        {
            if (_isOut)
            {
                return;
            }

            await server.ConnectAsync(_target.Host, _target.Port, _stop.Token);
            await Task.WhenAny(
                ForwardAsync(client.GetStream(), server.GetStream(), new Random(HashCode(connection, 0))),
                ForwardAsync(server.GetStream(), client.GetStream(), new Random(HashCode(connection, 1))));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // cut, by us or by one of the ends
        }
        finally
        {
            _open.TryRemove(client, out _);
            client.Close();
        }
    }

    /// <summary>Not System.HashCode, which differs from run to run.</summary>
    private int HashCode(int connection, int direction) => unchecked((((_seed * 486187739) + connection) * 31) + direction);

    private async Task ForwardAsync(NetworkStream from, NetworkStream to, Random random)
    {
        var buffer = new byte[16 << 10];
        try
        {
            for (int read; (read = await from.ReadAsync(buffer, _stop.Token)) > 0;)
            {
                var fault = random.NextDouble() < Rate ? Faults[random.Next(Faults.Count)] : (Fault?)null;
                if (fault is { } injected)
                {
                    _injected.AddOrUpdate(injected, 1, (_, n) => n + 1);
                }

                switch (fault)
                {
                    case Fault.Drop:
                        return;
                    case Fault.Delay:
                        await Task.Delay(Lateness, _stop.Token);
                        break;
                    case Fault.Truncate:
                        await to.WriteAsync(buffer.AsMemory(0, read / 2), _stop.Token);
                        return;
                    case Fault.Corrupt:
                        var at = random.Next(read);
                        random.NextBytes(buffer.AsSpan(at, Math.Min(16, read - at)));
                        break;
                    case Fault.Duplicate:
                        await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
                        break;
                }

                await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // cut
        }
    }
}
