using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using FedChain.Network.Content;
using FedChain.Protocol.Content;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.Network.Tests.Content;

/// <summary>What comes of a node that is down, of another kind or version, or lies. That a real one is understood is <c>IpfsNodesTests</c>'.</summary>
public sealed class KuboStoreTests : IDisposable
{
    private static readonly Cid Wanted = Cid.OfRawBlock("wanted"u8);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_node_that_is_down_is_said_to_be_unreachable()
    {
        using var store = StoreAt(new Uri("http://127.0.0.1:1"));
        var e = await Assert.ThrowsAsync<KuboException>(() => store.VersionAsync(Cancel));
        Assert.True(e.IsTransient);
        Assert.Contains("http://127.0.0.1:1/ is unreachable (ConnectionRefused). Start it ('ipfs daemon')", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200, "<html>router</html>", "that are no JSON")]
    [InlineData(200, "[1]", "JSON that is no object")]
    [InlineData(200, "", "0 bytes")]
    [InlineData(200, """{"Name":"x"}""", "without \"Version\"")]
    [InlineData(200, """{"Version":7}""", "without \"Version\"")]
    [InlineData(200, """{"Version":"new"}""", "a version that is none")]
    [InlineData(404, "404 page not found", "status 404")]
    [InlineData(405, "", "a gateway?")]
    [InlineData(302, "", "status 302")]
    [InlineData(500, "oops", "status 500")]
    public async Task Something_else_that_answers_is_taken_for_no_node(int status, string body, string expected)
    {
        await using var server = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(body, Cancel);
        });
        using var store = StoreAt(server.Address);
        var e = await Assert.ThrowsAsync<KuboException>(() => store.VersionAsync(Cancel));
        Assert.False(e.IsTransient);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Contains("home.json", e.Message, StringComparison.Ordinal);
        Assert.Equal("/api/v0/version?", Assert.Single(server.Requests) + (server.Requests[0].EndsWith('?') ? "" : "?"));
    }

    [Theory]
    [InlineData("0.13.1", false)]
    [InlineData("0.14.0", true)]
    [InlineData("0.39.0-dev", true)]
    [InlineData("1.0.0", true)]
    public async Task A_node_that_is_too_old_is_refused(string version, bool isTaken)
    {
        await using var server = await AnswerAsync($$"""{"Version":"{{version}}"}""");
        using var store = StoreAt(server.Address);
        if (isTaken)
        {
            Assert.Equal(version, await store.VersionAsync(Cancel));
        }
        else
        {
            Assert.Contains("is version 0.13.1; 0.14 or later is expected. Upgrade Kubo.", (await Assert.ThrowsAsync<KuboException>(() => store.VersionAsync(Cancel))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_secret_is_sent_with_every_request_and_repeated_in_no_message()
    {
        await using var server = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = context.Request.Headers.Authorization == "Bearer geheim" ? 200 : 403;
            return context.Response.WriteAsync("""{"Version":"0.39.0"}""", Cancel);
        });
        using (var store = StoreAt(server.Address, KuboOptions.ParseAuthorization("Bearer geheim")))
        {
            await store.VersionAsync(Cancel);
        }

        using var stranger = StoreAt(server.Address, KuboOptions.ParseAuthorization("Bearer falsch"));
        var e = await Assert.ThrowsAsync<KuboException>(() => stranger.VersionAsync(Cancel));
        Assert.False(e.IsTransient);
        Assert.Contains("refuses 'version' with status 403", e.Message, StringComparison.Ordinal);
        Assert.Contains("ipfsAuthorizationFile", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("falsch", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("geheim")]
    [InlineData("Bearer")]
    [InlineData("Bearer a\nX-Other: b")]
    public void A_secret_that_is_no_header_is_refused_without_repeating_it(string text)
    {
        var e = Assert.Throws<FormatException>(() => KuboOptions.ParseAuthorization(text));
        Assert.DoesNotContain("geheim", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_is_added_with_every_setting_spelled_out_and_under_our_name()
    {
        var content = Bytes.Of(600_000);
        var (ours, _) = await UnixFsImporter.ImportAsync(new MemoryStream(content), UnixFsLayout.Default, sink: null, Cancel);
        var form = "";
        await using var server = await TestServer.StartAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, Cancel);
            form = System.Text.Encoding.Latin1.GetString(body.ToArray());
            await context.Response.WriteAsync($$"""{"Name":"file","Hash":"{{ours}}","Size":"600158"}""" + "\n", Cancel);
        });
        using var store = StoreAt(server.Address);

        Assert.Equal((ours, content.Length), await store.AddAsync(new MemoryStream(content), Cancel));

        Assert.Contains(System.Text.Encoding.Latin1.GetString(content), form, StringComparison.Ordinal);
        var query = Assert.Single(server.Requests);
        Assert.All(
            ["cid-version=1", "raw-leaves=true", "chunker=size-262144", "max-file-links=174", "hash=sha2-256", "pin=true", "trickle=false", "inline=false", "nocopy=false", "wrap-with-directory=false", "only-hash=false"],
            setting => Assert.Contains(setting, query, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_that_names_content_otherwise_is_refused()
    {
        await using var server = await AnswerAsync($$"""{"Hash":"{{Wanted}}","Key":"{{Wanted}}"}""");
        using var store = StoreAt(server.Address);
        var ours = Cid.OfRawBlock("other"u8);
        foreach (var e in new[]
        {
            await Assert.ThrowsAsync<KuboException>(() => store.AddAsync(new MemoryStream("other"u8.ToArray()), Cancel)),
            await Assert.ThrowsAsync<KuboException>(() => store.AddBlockAsync("other"u8.ToArray(), Cancel)),
        })
        {
            Assert.False(e.IsTransient);
            Assert.Contains($"named the content {Wanted} at", e.Message, StringComparison.Ordinal);
            Assert.Contains($"but its name is {ours}", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_block_of_other_bytes_is_called_corrupted()
    {
        await using var server = await AnswerAsync("something else");
        using var store = StoreAt(server.Address);
        var e = await Assert.ThrowsAsync<CorruptBlockException>(async () => await store.GetAsync(Wanted, cancellationToken: Cancel));
        Assert.Equal(Wanted, e.Cid);
        Assert.Contains("ipfs block rm", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("block was not found locally (offline): ipld: could not find bafkreiabc")]
    [InlineData("Failed to get block: request timed out")]
    [InlineData("context deadline exceeded")]
    public async Task A_node_that_has_not_got_a_block_says_so(string message)
    {
        await using var server = await AnswerAsync($$"""{"Message":"{{message}}","Code":0,"Type":"error"}""", status: 500);
        using var store = StoreAt(server.Address);
        Assert.Null(await store.GetAsync(Wanted, cancellationToken: Cancel));
        Assert.Null(await store.SeekAsync(Wanted, Cancel));
        Assert.False(await store.HasAsync(Wanted, Cancel));
        Assert.Contains("offline=true", server.Requests[0], StringComparison.Ordinal);
        Assert.DoesNotContain("offline", server.Requests[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_failure_is_told_in_the_nodes_words_made_printable()
    {
        await using var server = await AnswerAsync("""{"Message":"disk\u001b[31m full","Code":0,"Type":"error"}""", status: 500);
        using var store = StoreAt(server.Address);
        var e = await Assert.ThrowsAsync<KuboException>(async () => await store.GetAsync(Wanted, cancellationToken: Cancel));
        Assert.EndsWith("failed at 'block/get': disk [31m full", e.Message, StringComparison.Ordinal);
        Assert.True(e.IsTransient);
    }

    [Fact]
    public async Task An_endless_answer_is_cut_off()
    {
        await using var server = await TestServer.StartAsync(async context =>
        {
            var bytes = new byte[64 * 1024];
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
            }
        });
        using var store = StoreAt(server.Address);
        var e = await Assert.ThrowsAsync<KuboException>(async () => await store.GetAsync(Wanted, cancellationToken: Cancel));
        Assert.Contains($"more than {BlockStore.MaxBlockSize} bytes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_says_nothing_is_waited_for_as_long_as_the_options_say()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(async context =>
        {
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var store = new KuboStore(new KuboOptions { Api = server.Address, Time = time });
        var version = store.VersionAsync(Cancel);
        await asked.Task;
        time.Advance(TimeSpan.FromSeconds(30));
        var e = await Assert.ThrowsAsync<KuboException>(() => version);
        Assert.True(e.IsTransient);
        Assert.Contains("did not answer 'version' within 30 s", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Spoiling.None)]
    [InlineData(Spoiling.WrongByte)]
    [InlineData(Spoiling.CutOff)]
    public async Task A_file_is_read_in_one_stream_whose_leaves_are_checked(Spoiling spoiling)
    {
        var content = Bytes.Of(600_000);
        using var held = new BlockStore(_folder.Path);
        var (root, _) = await held.AddAsync(new MemoryStream(content), Cancel);
        await using var server = await TestServer.StartAsync(async context =>
        {
            if (context.Request.Path.Value!.EndsWith("block/get", StringComparison.Ordinal))
            {
                var block = await held.GetAsync(Cid.Parse(context.Request.Query["arg"]!), cancellationToken: Cancel);
                await context.Response.Body.WriteAsync(block!.Value, Cancel);
                return;
            }

            var bytes = content.ToArray();
            bytes[300_000] ^= (byte)(spoiling == Spoiling.WrongByte ? 1 : 0);
            await context.Response.Body.WriteAsync(bytes.AsMemory(0, spoiling == Spoiling.CutOff ? 400_000 : bytes.Length), Cancel);
        });
        using var store = StoreAt(server.Address);
        using var copy = new MemoryStream();
        var reading = store.CopyFileAsync(root, copy, cancellationToken: Cancel);
        switch (spoiling)
        {
            case Spoiling.None:
                Assert.Equal(content.Length, await reading);
                Assert.Equal(content, copy.ToArray());
                Assert.Equal(["block/get", "cat"], server.Requests.Select(r => r["/api/v0/".Length..r.IndexOf('?', StringComparison.Ordinal)]));
                break;
            case Spoiling.WrongByte:
                await Assert.ThrowsAsync<CorruptBlockException>(() => reading);
                Assert.Equal(262_144, copy.Length); // nothing of the leaf with the wrong byte
                break;
            default:
                await Assert.ThrowsAsync<MissingBlockException>(() => reading);
                break;
        }
    }

    [Fact]
    public async Task An_error_that_only_the_trailer_tells_is_an_error()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0); // Kestrel writes no trailers over HTTP/1.1
        listener.Start();
        var answering = Task.Run(
            async () =>
            {
                using var client = await listener.AcceptTcpClientAsync(Cancel);
                using var reader = new StreamReader(client.GetStream());
                while (await reader.ReadLineAsync(Cancel) is { Length: > 0 })
                {
                    // the request's headers
                }

                await client.GetStream().WriteAsync(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Stream-Error\r\n\r\nb\r\n{\"Keys\":{}}\r\n0\r\nX-Stream-Error: disk on fire\r\n\r\n"u8.ToArray(), Cancel);
            },
            Cancel);
        using var store = StoreAt(new Uri($"http://{listener.LocalEndpoint}"));
        var e = await Assert.ThrowsAsync<KuboException>(() => store.PinsAsync(Cancel));
        Assert.EndsWith("failed at 'pin/ls': disk on fire", e.Message, StringComparison.Ordinal);
        await answering;
    }

    public enum Spoiling
    {
        None,
        WrongByte,
        CutOff,
    }

    private static KuboStore StoreAt(Uri api, AuthenticationHeaderValue? authorization = null) => new(new KuboOptions { Api = api, Authorization = authorization });

    private static Task<TestServer> AnswerAsync(string body, int status = 200) => TestServer.StartAsync(async context =>
    {
        await context.Request.Body.CopyToAsync(Stream.Null, Cancel);
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(body, Cancel);
    });
}
