using CsCheck;
using FedChain.Protocol.Content;

namespace FedChain.Protocol.Tests.Content;

public sealed class CarTests
{
    public static TheoryData<string, string, int, string> Valid => IpfsVectors.Cases(IpfsVectors.Cars, "valid", c => c.Text("file"));

    public static TheoryData<string, string, int, string> Invalid => IpfsVectors.Cases(IpfsVectors.Cars, "invalid", c => c.Text("file"));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Valid))]
    [Trait("Category", "Vectors")]
    public async Task A_valid_CAR_is_read_and_written_byte_for_byte(string file, string list, int index, string name)
    {
        var expected = IpfsVectors.Case(file, list, index);
        var bytes = await File.ReadAllBytesAsync(Path.Combine(Path.GetDirectoryName(file)!, name), Cancel);
        Assert.Equal(expected.Number("bytes"), bytes.Length);
        Assert.Equal(expected.Text("sha256"), IpfsVectors.Sha256Hex(bytes));
        Assert.Equal(1, expected.Number("version"));

        foreach (var step in (int[])[int.MaxValue, 1000, 7])
        {
            using var written = new MemoryStream();
            var reader = await CarReader.OpenAsync(new Trickle(bytes, step), cancellationToken: Cancel);
            Assert.Equal(expected.GetProperty("roots").EnumerateArray().Select(r => r.GetString()), reader.Roots.Select(r => r.ToString()));
            var writer = await CarWriter.StartAsync(written, reader.Roots, Cancel);
            foreach (var block in expected.GetProperty("blocks").EnumerateArray())
            {
                var read = await reader.ReadAsync(Cancel);
                Assert.Equal(block.Text("cid"), read!.Value.Cid.ToString());
                Assert.Equal(block.Number("bytes"), read.Value.Bytes.Length);
                Assert.Equal(block.Text("sha256"), IpfsVectors.Sha256Hex(read.Value.Bytes.Span));
                await writer.WriteAsync(read.Value.Cid, read.Value.Bytes, Cancel);
            }

            Assert.Null(await reader.ReadAsync(Cancel));
            Assert.Equal(bytes, written.ToArray());
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Invalid))]
    [Trait("Category", "Vectors")]
    public async Task A_damaged_CAR_is_refused(string file, string list, int index, string name)
    {
        var expected = IpfsVectors.Case(file, list, index);
        var bytes = await File.ReadAllBytesAsync(Path.Combine(Path.GetDirectoryName(file)!, name), Cancel);

        var (read, error) = await ReadAllAsync(bytes);

        Assert.True(error is InvalidDataException or EndOfStreamException, expected.Text("why"));
        if (expected.Number("blocksWithCidMismatch") > 0)
        {
            Assert.True(read.Count <= expected.Number("blocksRead"), "The blocks before the damaged one, and a root.");
        }
    }

    [Fact]
    public void Any_blocks_round_trip() =>
        Gen.Select(Gen.Byte.Array[0, 3000].List[0, 8], Gen.Int[1, 5000]).Sample((contents, step) => Task.Run(async () =>
        {
            using var written = new MemoryStream();
            var cids = contents.ConvertAll(c => Cid.OfRawBlock(c));
            var writer = await CarWriter.StartAsync(written, cids, Cancel);
            for (var i = 0; i < cids.Count; i++)
            {
                await writer.WriteAsync(cids[i], contents[i], Cancel);
            }

            var reader = await CarReader.OpenAsync(new Trickle(written.ToArray(), step), cancellationToken: Cancel);
            Assert.Equal(cids, reader.Roots);
            for (var i = 0; i < cids.Count; i++)
            {
                var block = await reader.ReadAsync(Cancel);
                Assert.Equal(cids[i], block!.Value.Cid);
                Assert.Equal(contents[i], block.Value.Bytes.ToArray());
            }

            Assert.Null(await reader.ReadAsync(Cancel));
        }, Cancel).GetAwaiter().GetResult(), iter: 50);

    [Fact]
    public async Task A_CAR_cut_anywhere_ends_early_or_at_a_block_and_a_flipped_bit_never_passes()
    {
        using var written = new MemoryStream();
        byte[][] contents = [[1, 2, 3], [], new byte[300]];
        var cids = contents.Select(c => Cid.OfRawBlock(c)).ToArray();
        var writer = await CarWriter.StartAsync(written, [cids[0]], Cancel);
        for (var i = 0; i < cids.Length; i++)
        {
            await writer.WriteAsync(cids[i], contents[i], Cancel);
        }

        var bytes = written.ToArray();
        for (var length = 0; length < bytes.Length; length++)
        {
            var (read, error) = await ReadAllAsync(bytes[..length]);
            Assert.True(read.Count < 1 + contents.Length);
            Assert.True(error is null or EndOfStreamException, $"{length}: {error}");
        }

        var names = (await ReadAllAsync(bytes)).Names;
        for (var i = 0; i < bytes.Length; i++)
        {
            var damaged = bytes.ToArray();
            damaged[i] ^= 0x01;
            var (read, error) = await ReadAllAsync(damaged);
            // A root, and a block's codec, aren't covered by any hash; but then the names are others than those asked for.
            Assert.True(error is InvalidDataException or EndOfStreamException || !names.SequenceEqual(read), $"byte {i}: {error}");
        }
    }

    [Fact]
    public async Task A_section_beyond_the_limit_is_refused_before_its_bytes_are_awaited()
    {
        using var written = new MemoryStream();
        var writer = await CarWriter.StartAsync(written, [], Cancel);
        await writer.WriteAsync(Cid.OfRawBlock(new byte[2000]), new byte[2000], Cancel);
        var reader = await CarReader.OpenAsync(new MemoryStream(written.ToArray()), maxBlockSize: 1999, Cancel);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await reader.ReadAsync(Cancel));

        byte[] huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        await Assert.ThrowsAsync<InvalidDataException>(() => CarReader.OpenAsync(new MemoryStream(huge), cancellationToken: Cancel));
    }

    /// <summary>The roots' CIDs and then the blocks'.</summary>
    private static async Task<(List<Cid> Names, Exception? Error)> ReadAllAsync(byte[] bytes)
    {
        var names = new List<Cid>();
        try
        {
            var reader = await CarReader.OpenAsync(new MemoryStream(bytes), cancellationToken: Cancel);
            names.AddRange(reader.Roots);
            while (await reader.ReadAsync(Cancel) is { } block)
            {
                names.Add(block.Cid);
            }

            return (names, null);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return (names, e);
        }
    }

    /// <summary>Gives a few bytes at a time, as a socket does.</summary>
    private sealed class Trickle(byte[] bytes, int step) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(step, buffer.Length)], cancellationToken);
    }
}
