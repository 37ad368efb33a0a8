using System.Text;
using System.Text.Json;
using FedChain.Protocol.Content;

namespace FedChain.Protocol.Tests.Content;

[Trait("Category", "Vectors")]
public sealed class UnixFsVectorTests
{
    private static readonly string[] Modes = ["v1_raw_leaves", "v0_dagpb_leaves", "v1_dagpb_leaves"];

    public static TheoryData<string, string, int, string> Files =>
        IpfsVectors.Cases(IpfsVectors.Files, "", c => $"{c.Number("size")} bytes");

    public static TheoryData<string, string, int, string> Known => IpfsVectors.Cases(IpfsVectors.Known, "", c => c.Text("name"));

    public static TheoryData<string, string, int, string> Trees => IpfsVectors.Cases(
        IpfsVectors.Trees, "", c => $"{c.Number("size")} bytes, chunk {c.Number("chunk")}, {c.Number("maxLinks")} links, {c.Text("mode")}");

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Files))]
    public async Task A_file_has_the_tree_that_IPFS_gives_it(string file, string list, int index, string name)
    {
        var expected = IpfsVectors.Case(file, list, index);
        var content = IpfsVectors.Content(expected.Text("seed"), expected.Number("size"));
        Assert.Equal(expected.Text("sha256"), IpfsVectors.Sha256Hex(content));
        if (expected.TryGetProperty("file", out var stored))
        {
            Assert.Equal(content, await File.ReadAllBytesAsync(Path.Combine(Path.GetDirectoryName(file)!, stored.GetString()!), Cancel));
        }

        Assert.Equal(expected.GetProperty("single_raw_block").Text("cid"), Cid.OfRawBlock(content).ToString());
        foreach (var mode in expected.EnumerateObject().Where(p => p.Name.EndsWith("_leaves", StringComparison.Ordinal)))
        {
            Assert.Contains(mode.Name, Modes);
            var tree = await Tree.ImportAsync(content, Layout(mode.Name));
            CheckTree(mode.Value, tree, $"{name}, {mode.Name}");
            Assert.Equal(content, await tree.ExportAsync());
        }

        var cross = expected.GetProperty("cross_ipld_unixfs").Text("v1_raw_leaves");
        Assert.Equal(cross, (await Tree.ImportAsync(content, UnixFsLayout.Default)).Root.ToString());
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Known))]
    public async Task A_known_content_has_its_known_CID(string file, string list, int index, string name)
    {
        var expected = IpfsVectors.Case(file, list, index);
        var content = FindContent(expected.Number("size"), expected.Text("sha256"));
        Assert.True(content is not null, $"The content of '{name}' isn't known here.");
        foreach (var mode in Modes.Where(mode => expected.TryGetProperty(mode, out _)))
        {
            var tree = await Tree.ImportAsync(content, Layout(mode));
            Assert.Equal(expected.Text(mode), tree.Root.ToString());
            Assert.Equal(expected.Number(mode + "_uniqueBlocks"), tree.Blocks.Count);
            Assert.Equal(content, await tree.ExportAsync());
        }

        var debian = expected.GetProperty("debian_ipfs_cid");
        Assert.Equal(debian.Text("CIDv0"), (await Tree.ImportAsync(content, Layout("v0_dagpb_leaves"))).Root.ToString());
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Trees))]
    public async Task A_small_tree_has_the_same_blocks_byte_for_byte(string file, string list, int index, string _)
    {
        var expected = IpfsVectors.Case(file, list, index);
        var content = IpfsVectors.Content(expected.Text("seed"), expected.Number("size"));
        Assert.Equal(expected.Text("contentHex"), Convert.ToHexStringLower(content));
        var layout = Layout(expected.Text("mode")) with { ChunkSize = expected.Number("chunk"), MaxLinks = expected.Number("maxLinks") };

        var tree = await Tree.ImportAsync(content, layout);

        Assert.Equal(expected.Text("rootCid"), tree.Root.ToString());
        Assert.Equal(expected.Number("leafCount"), tree.Leaves.Count);
        Assert.Equal(expected.Number("depth"), tree.Depth);
        Assert.Equal(
            expected.GetProperty("blocks").EnumerateObject().Select(b => b.Value.GetString()!).Order(StringComparer.Ordinal),
            tree.Blocks.Values.Select(b => Convert.ToHexStringLower(b)).Order(StringComparer.Ordinal));
        Assert.Equal(content, await tree.ExportAsync());
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Stored))]
    public async Task A_stored_file_is_its_recipe_and_comes_back_from_its_tree(string path)
    {
        var content = await File.ReadAllBytesAsync(path, Cancel);
        Assert.Equal(IpfsVectors.Content($"fedchain-ipfs-v1/{Path.GetFileNameWithoutExtension(path)}", content.Length), content);
        foreach (var mode in Modes)
        {
            Assert.Equal(content, await (await Tree.ImportAsync(content, Layout(mode))).ExportAsync());
        }
    }

    [Fact]
    public void Every_file_of_the_vectors_is_one_that_is_read()
    {
        Assert.SkipUnless(IpfsVectors.Folders.Any(), "No folder with IPFS vectors.");
        foreach (var folder in IpfsVectors.Folders)
        {
            var read = new HashSet<string>(StringComparer.Ordinal)
            {
                "README.md", IpfsVectors.Cids, IpfsVectors.Cars, IpfsVectors.Files, IpfsVectors.Known, IpfsVectors.Trees,
            };
            read.UnionWith(Stored.Select(row => Path.GetRelativePath(folder, row.Data)));
            read.UnionWith(Named(folder, IpfsVectors.Cars, "valid"));
            read.UnionWith(Named(folder, IpfsVectors.Cars, "invalid"));
            var found = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f));
            Assert.Empty(found.Except(read));
        }
    }

    public static TheoryData<string> Stored => [.. IpfsVectors.Folders.Select(folder => Path.Combine(folder, "files"))
        .Where(Directory.Exists).SelectMany(folder => Directory.EnumerateFiles(folder, "*.bin"))];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static IEnumerable<string> Named(string folder, string file, string list) =>
        !File.Exists(Path.Combine(folder, file)) ? [] : IpfsVectors.Cases(file, list, _ => "")
            .Select(row => row.Data).Where(row => Path.GetDirectoryName(row.Item1) == folder)
            .Select(row => IpfsVectors.Case(row.Item1, row.Item2, row.Item3))
            .Where(c => c.TryGetProperty("file", out _)).Select(c => c.Text("file"));

    private static void CheckTree(JsonElement expected, Tree tree, string what)
    {
        Assert.Equal(expected.Text("cid"), tree.Root.ToString());
        Assert.Equal(expected.Text("cidBytesHex"), Convert.ToHexStringLower(tree.Root.ToArray()));
        Assert.Equal(expected.Text("codec"), tree.Root.IsRaw ? "raw" : "dag-pb");
        Assert.Equal(expected.Number("depth"), tree.Depth);
        Assert.Equal(expected.Number("leafCount"), tree.Leaves.Count);
        Assert.Equal(expected.Text("firstLeaf"), tree.Leaves[0].ToString());
        Assert.Equal(expected.Text("lastLeaf"), tree.Leaves[^1].ToString());
        Assert.Equal(expected.Text("leavesSha256"), IpfsVectors.Sha256Hex(Encoding.ASCII.GetBytes(string.Join('\n', tree.Leaves))));
        Assert.Equal(expected.Number("uniqueBlocks"), tree.Blocks.Count);
        Assert.Equal(expected.Number("uniqueBlockBytes"), tree.Blocks.Values.Sum(b => b.Length));
        foreach (var node in expected.GetProperty("innerNodes").EnumerateArray())
        {
            var cid = Cid.Parse(node.Text("cid"));
            Assert.True(tree.Blocks.TryGetValue(cid, out var block), $"{what}: node {cid} is missing.");
            Assert.Equal(node.Number("blockBytes"), block.Length);
            Assert.Equal(node.Text("blockSha256"), IpfsVectors.Sha256Hex(block));
            if (node.TryGetProperty("blockHex", out var hex) && hex.ValueKind == JsonValueKind.String)
            {
                Assert.Equal(hex.GetString(), Convert.ToHexStringLower(block));
            }

            var decoded = DagPbNode.Decode(block);
            Assert.Equal(node.Number("links"), decoded.Links.Count);
            Assert.Equal(node.GetProperty("tsizeSum").GetUInt64(), decoded.Links.Aggregate(0UL, (sum, link) => sum + link.TotalSize!.Value));
            Assert.Equal(node.GetProperty("fileSize").GetUInt64(), UnixFsFile.Decode(decoded.Data!.Value).FileSize);
        }
    }

    /// <summary>The known contents are plain enough to be found by their digest: nothing, a greeting, or one byte repeated.</summary>
    private static byte[]? FindContent(int size, string sha256)
    {
        IEnumerable<byte[]> texts = ["hello world"u8.ToArray(), "hello world\n"u8.ToArray()];
        var repeated = Enumerable.Range(0, 256).Select(b => Repeated((byte)b, size));
        return texts.Concat(repeated).FirstOrDefault(content => content.Length == size && IpfsVectors.Sha256Hex(content) == sha256);
    }

    private static byte[] Repeated(byte value, int size)
    {
        var content = new byte[size];
        Array.Fill(content, value);
        return content;
    }

    private static UnixFsLayout Layout(string mode) => new()
    {
        Leaves = mode switch
        {
            "v1_raw_leaves" => UnixFsLeaves.RawV1,
            "v0_dagpb_leaves" => UnixFsLeaves.DagPbV0,
            "v1_dagpb_leaves" => UnixFsLeaves.DagPbV1,
            _ => throw new NotSupportedException($"The vectors have a layout that isn't known here: {mode}."),
        },
    };
}
