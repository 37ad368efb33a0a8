using System.Net.WebSockets;
using System.Text.Json;

namespace FedChain.Network.Chain;

/// <summary>
/// Is told of new blocks by a node's WebSocket (eth_subscribe, newHeads) as long as that works. An announcement is a reason to look and no more: what is
/// looked at, and in which order, is as without it, so one that is late, missing or made up does no harm. A node that can't be reached is tried again
/// after a wait, and the caller polls meanwhile.
/// </summary>
public sealed class BlockAnnouncements : IAsyncDisposable
{
    private const int MaxMessage = 1 << 20;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private static readonly byte[] Subscribe = """{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"""u8.ToArray();

    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly Task _listening;
    private TaskCompletionSource _next = NewSignal();

    /// <param name="endpoints">ws or wss; none: nothing is ever announced.</param>
    /// <param name="time">For the waits before a node is tried again.</param>
    public BlockAnnouncements(IEnumerable<Uri> endpoints, TimeProvider time)
    {
        _time = time;
        _listening = Task.WhenAll(endpoints.Select(ListenAsync));
    }

    /// <summary>Completes at the next announcement.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _listening;
        _stop.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task ListenAsync(Uri endpoint)
    {
        var wait = FirstWait;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var socket = new ClientWebSocket();
                await socket.ConnectAsync(endpoint, _stop.Token);
                await socket.SendAsync(Subscribe, WebSocketMessageType.Text, endOfMessage: true, _stop.Token);
                while (await ReceiveAsync(socket) is { } message)
                {
                    if (IsAnnouncement(message))
                    {
                        wait = FirstWait;
                        Interlocked.Exchange(ref _next, NewSignal()).TrySetResult();
                    }
                }
            }
            catch (Exception e) when (e is WebSocketException or JsonException or IOException)
            {
                // tried again below
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                await Task.Delay(wait, _time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            wait = TimeSpan.FromTicks(Math.Min(LongestWait.Ticks, wait.Ticks * 2));
        }
    }

    /// <summary>Null when the node closes the connection, or says more than any announcement is long.</summary>
    private async Task<byte[]?> ReceiveAsync(ClientWebSocket socket)
    {
        using var message = new MemoryStream();
        var buffer = new byte[16 << 10];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, _stop.Token);
            if (received.MessageType == WebSocketMessageType.Close || message.Length + received.Count > MaxMessage)
            {
                return null;
            }

            message.Write(buffer, 0, received.Count);
            if (received.EndOfMessage)
            {
                return message.ToArray();
            }
        }
    }

    private static bool IsAnnouncement(byte[] message)
    {
        using var json = JsonDocument.Parse(message);
        return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("method", out var method)
            && method.ValueKind == JsonValueKind.String && method.ValueEquals("eth_subscription"u8);
    }
}
