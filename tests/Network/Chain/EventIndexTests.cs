using FedChain.Network.Chain;
using FedChain.Network.Tests.Content;
using FedChain.Protocol;

namespace FedChain.Network.Tests.Chain;

public sealed class EventIndexTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_start_reads_from_the_chain_only_what_is_new()
    {
        await using var scene = await RoundScene.StartAsync();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "chain", "events.sqlite");
        using var nodes = new AlteredNode(scene.Chain.Client.Endpoint);
        using var http = new HttpClient(nodes);
        var client = new ChainClient(http, [nodes.Named("node")]);
        Assert.Equal(await scene.FromScratchAsync(), await ReadAsync(scene, file, client));
        var asked = nodes.Asked["eth_getLogs"];
        Assert.Equal(await scene.FromScratchAsync(), await ReadAsync(scene, file, client));
        Assert.Equal(asked, nodes.Asked["eth_getLogs"]);
        await scene.Steps[0]();
        Assert.Equal(await scene.FromScratchAsync(), await ReadAsync(scene, file, client));
        Assert.Equal(asked + 1, nodes.Asked["eth_getLogs"]);
    }

    public static TheoryData<string> Damages => ["gone", "empty", "no database", "cut in half", "a page of zeros", "other rows", "of another federation", "of another chain"];

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_missing_or_damaged_index_is_made_anew(string damage)
    {
        await using var scene = await RoundScene.StartAsync();
        await scene.Steps[0]();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "events.sqlite");
        var expected = await ReadAsync(scene, file);
        Damage(file, damage, scene.Federation.Membership);
        Assert.Equal(expected, await ReadAsync(scene, file));
        Assert.Equal(expected, await ReadAsync(scene, file)); // and what was made anew is sound
    }

    [Fact]
    public async Task A_second_process_begins_with_a_copy_and_leaves_the_file_alone()
    {
        await using var scene = await RoundScene.StartAsync();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "events.sqlite");
        using var first = EventIndex.Open(file, LocalChain.ChainId, scene.Federation.Membership);
        await scene.Reader(index: first).ReadAsync(Cancellation);
        var bytes = await File.ReadAllBytesAsync(file, Cancellation);
        await scene.Steps[0]();
        Assert.Equal(await scene.FromScratchAsync(), await ReadAsync(scene, file));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(file, Cancellation));
    }

    [Fact]
    public async Task Where_nothing_can_be_written_the_chain_is_followed_all_the_same()
    {
        await using var scene = await RoundScene.StartAsync();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "events.sqlite");
        await File.WriteAllTextAsync(file, "", Cancellation);
        using var index = EventIndex.Open(Path.Combine(file, "in a file", "events.sqlite"), LocalChain.ChainId, scene.Federation.Membership);
        var reader = scene.Reader(index: index);
        await reader.ReadAsync(Cancellation);
        Assert.Equal(await scene.FromScratchAsync(), RoundScene.Describe(reader));
    }

    private static void Damage(string file, string damage, Address membership)
    {
        switch (damage)
        {
            case "gone":
                File.Delete(file);
                break;
            case "empty":
                File.WriteAllBytes(file, []);
                break;
            case "no database":
                File.WriteAllText(file, new string('x', 10_000));
                break;
            case "cut in half":
                using (var cut = File.OpenWrite(file))
                {
                    cut.SetLength(cut.Length / 2);
                }

                break;
            case "a page of zeros":
                using (var torn = File.OpenWrite(file))
                {
                    torn.Position = torn.Length - 4096;
                    torn.Write(new byte[4096]);
                }

                break;
            case "other rows":
                using (var database = Sqlite.Connect(file))
                {
                    database.Execute("DELETE FROM log WHERE place = (SELECT max(place) FROM log)");
                }

                break;
            case "of another federation":
                File.Delete(file);
                EventIndex.Open(file, LocalChain.ChainId, new Address([.. membership.ToArray().Reverse()])).Dispose();
                break;
            case "of another chain":
                File.Delete(file);
                EventIndex.Open(file, 1, membership).Dispose();
                break;
        }
    }

    private static async Task<string> ReadAsync(RoundScene scene, string file, ChainClient? chain = null)
    {
        using var index = EventIndex.Open(file, LocalChain.ChainId, scene.Federation.Membership);
        var reader = scene.Reader(chain, index);
        await reader.ReadAsync(Cancellation);
        return RoundScene.Describe(reader);
    }
}
