using System.Net.Sockets;
using System.Text;
using FedChain.Network.Content;
using FedChain.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.Network.Tests.Content;

/// <summary>Readers who take an answer so slowly that they would hold what others wait for.</summary>
public sealed class SlowReaderTests
{
    private static readonly Hash256 Large = Hash256.Parse("0x" + new string('1', 64));
    private static readonly Hash256 Small = Hash256.Parse("0x" + new string('2', 64));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Slow_readers_of_every_payload_at_a_time_are_cut_off_and_another_one_is_served()
    {
        using var folder = new TemporaryFolder();
        using var store = new BlockStore(folder.Path);
        var federation = new Federation();
        var options = new ContentGatewayOptions
        {
            MaxPayloads = 4,
            ReaderPatience = TimeSpan.FromMilliseconds(500),
            MinBytesPerSecond = 1 << 30, // or what lies in the buffers of the sockets, some megabytes, would count for a minute
            PayloadPatience = TimeSpan.FromMinutes(2),
        };
        await using var gateway = await ContentGateway.StartAsync(store, federation, options, Cancel);
        var served = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var readers = Enumerable.Range(0, options.MaxPayloads).Select(_ => ReadAsync(gateway.BaseAddress, slowlyUntil: served.Task)).ToList();
        for (var i = 0; i < options.MaxPayloads; i++)
        {
            await federation.Begun.WaitAsync(Cancel);
        }

        using var http = new HttpClient { BaseAddress = gateway.BaseAddress };
        Assert.Equal("for 3", await http.GetStringAsync($"/fedchain/v1/payload/{Small}?to=3", Cancel));
        served.SetResult();
        Assert.All(await Task.WhenAll(readers), taken => Assert.InRange(taken, 1, Federation.Size - 1));
    }

    [Fact]
    public async Task A_reader_has_its_patience_and_the_time_of_what_was_sent_over_all_writes()
    {
        var time = new FakeTimeProvider();
        var client = new Client();
        await using var body = new PacedBody(client, new ContentGatewayOptions { ReaderPatience = TimeSpan.FromSeconds(10), MinBytesPerSecond = 100, Time = time });

        await TakenAfterAsync(500, TimeSpan.FromSeconds(14)); // of 10 + 5
        await TakenAfterAsync(100, TimeSpan.FromSeconds(1)); // 15 of 16
        var third = body.WriteAsync(new byte[100], Cancel).AsTask();
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(third.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Contains("too slow", (await Assert.ThrowsAsync<TimeoutException>(() => third)).Message, StringComparison.Ordinal);

        async Task TakenAfterAsync(int bytes, TimeSpan wait)
        {
            var write = body.WriteAsync(new byte[bytes], Cancel).AsTask();
            time.Advance(wait);
            Assert.False(write.IsCompleted);
            client.Take();
            await write;
            time.Advance(TimeSpan.FromHours(1)); // between the writes nobody waits for the reader
        }
    }

    /// <summary>Takes some 600 bytes a second, and in the end all that is still on its way.</summary>
    /// <returns>How many bytes it got.</returns>
    private static async Task<int> ReadAsync(Uri gateway, Task slowlyUntil)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(gateway.Host, gateway.Port, Cancel);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /fedchain/v1/payload/{Large}?to=3 HTTP/1.1\r\nHost: {gateway.Authority}\r\n\r\n"), Cancel);
        var (buffer, taken) = (new byte[1 << 16], 0);
        try
        {
            for (int read; (read = await socket.ReceiveAsync(buffer.AsMemory(0, slowlyUntil.IsCompleted ? buffer.Length : 60), Cancel)) > 0; taken += read)
            {
                await Task.WhenAny(slowlyUntil, Task.Delay(100, Cancel));
            }
        }
        catch (SocketException)
        {
            // cut off
        }

        return taken;
    }

    /// <summary>What is written to it is under way until it is taken.</summary>
    private sealed class Client : MemoryStream
    {
        private TaskCompletionSource _taken = new();

        public void Take()
        {
            var taken = _taken;
            _taken = new();
            taken.SetResult();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => await _taken.Task.WaitAsync(cancellationToken);
    }

    private sealed class Federation : IFederationContent
    {
        /// <summary>More than the buffers of two sockets take.</summary>
        public const int Size = 64 << 20;

        public SemaphoreSlim Begun { get; } = new(0);

        public Task<byte[]?> HoldingsAsync(RoundId round, CancellationToken cancellationToken) => Task.FromResult<byte[]?>(null);

        public IReadOnlyList<Uri>? EndpointsOf(MemberId member) => null;

        public async Task<bool> WritePayloadAsync(Hash256 digest, PayloadReader to, Stream destination, CancellationToken cancellationToken)
        {
            if (digest == Small)
            {
                await destination.WriteAsync(Encoding.ASCII.GetBytes($"for {to}"), cancellationToken);
                return true;
            }

            Begun.Release();
            var chunk = new byte[1 << 16];
            for (var sent = 0; sent < Size; sent += chunk.Length)
            {
                await destination.WriteAsync(chunk, cancellationToken);
            }

            return true;
        }
    }
}
