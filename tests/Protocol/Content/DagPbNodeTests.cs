using CsCheck;
using FedChain.Protocol.Content;

namespace FedChain.Protocol.Tests.Content;

public sealed class DagPbNodeTests
{
    private const string Link = "0a24015512201d03dbb1203f471865f1a0c58ebe0ab861d9b25cfbb8c7b88998b2cd055d8c4d";

    private static readonly Gen<DagPbLink> AnyLink =
        Gen.Select(Gen.Byte.Array[Hash256.Size], Gen.Int[-1, 300], Gen.Long[-9, long.MaxValue]).Select((digest, name, size) =>
            new DagPbLink(Cid.DagPbOf(new Hash256(digest)), name < 0 ? null : new string('\u00e9', name), size < 0 ? null : (ulong)size));

    [Fact]
    public void Nodes_round_trip_and_absent_is_not_empty() =>
        Gen.Select(AnyLink.List[0, 5], Gen.Byte.Array[0, 300], Gen.Bool).Sample((links, data, hasData) =>
        {
            ReadOnlyMemory<byte>? given = hasData ? new ReadOnlyMemory<byte>(data) : null;
            var decoded = DagPbNode.Decode(new DagPbNode(links, given).Encode());
            Assert.Equal(links, decoded.Links);
            Assert.Equal(given?.ToArray(), decoded.Data?.ToArray());
        });

    [Fact]
    public void Any_bytes_are_refused_or_are_the_one_form_of_a_node() =>
        Gen.Select(Gen.Byte.Array[0, 9], Gen.Bool, Gen.Byte.Array[0, 9]).Sample((before, hasLink, after) =>
        {
            byte[] bytes = hasLink ? [.. before, 0x12, 0x26, .. Convert.FromHexString(Link), .. after] : [.. before, .. after];
            DagPbNode node;
            try
            {
                node = DagPbNode.Decode(bytes);
            }
            catch (InvalidDataException)
            {
                return;
            }

            Assert.Equal(bytes, node.Encode());
        });

    [Theory]
    [InlineData("0a0101" + "1226" + Link)] // data before links
    [InlineData("0a01010a0101")] // data twice
    [InlineData("1200")] // a link without a hash
    [InlineData("122a" + Link + "18041200")] // size before name
    [InlineData("1228" + Link + "1200" + "00")] // a stray byte
    [InlineData("122a" + Link + "12001200")] // name twice
    [InlineData("1229" + Link + "1201ff")] // a name that isn't UTF-8
    [InlineData("12020a00")] // an empty hash
    [InlineData("1a00")] // field 3
    [InlineData("1001")] // field 2 as a number
    [InlineData("12ffffffff0f")] // a length beyond the block
    [InlineData("0a8100")] // a length in two bytes that needs one
    [InlineData("0d00000000")] // a fixed32
    public void Another_form_is_refused(string hex) =>
        Assert.Throws<InvalidDataException>(() => DagPbNode.Decode(Convert.FromHexString(hex)));

    [Fact]
    public void The_empty_block_is_a_node_without_anything()
    {
        var node = DagPbNode.Decode(default);
        Assert.Empty(node.Links);
        Assert.Null(node.Data);
        Assert.Empty(node.Encode());
    }
}
