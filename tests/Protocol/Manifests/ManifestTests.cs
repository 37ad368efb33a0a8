using System.Text;
using FedChain.Protocol.Content;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Protocol.Tests.Manifests;

public sealed class ManifestTests
{
    private static readonly Address Rounds = Address.Parse("0x5fbdb2315678afecb367f032d93f642f64180aa3");
    private static readonly Cid Payload = Cid.RawOf(Fill('e'));

    private static readonly UpdateManifest Update = new(31337, Rounds, new RoundId(7), new MemberId(3), Fill('a'), Fill('b'), Payload, 4096, Fill('c'));

    private static readonly SignedHolding First = new(new MemberId(3), SubmissionBitmap.Of(9, [0, 8]), new Signature(Fill('1'), Fill('2'), yIsOdd: true));
    private static readonly SignedHolding Second = First with { Member = new MemberId(11), Held = SubmissionBitmap.All(9) };

    private static readonly GlobalManifest Global = new(
        31337, Rounds, new RoundId(7), 1, new MemberId(3), Fill('a'), Fill('b'), Fill('d'), SubmissionBitmap.Of(9, [0, 1, 8]),
        new HoldingsSource.Inline([First, Second]), Fill('f'), Payload, 4096, State: null);

    private static readonly Policy Mean = new()
    {
        BaseModel = Fill('a'),
        Adapter = new AdapterConfig(8, 16, ["q_proj", "v_proj"]),
        Seed = Fill('5'),
    };

    [Fact]
    public void An_update_manifest_is_this_text() =>
        Same(
            $$"""{"base":"0x{{X('b')}}","chain":31337,"kind":"update","member":3,"payload":"{{Payload}}","plaintext":"0x{{X('c')}}","policy":"0x{{X('a')}}","round":7,"rounds":"{{Rounds}}","size":4096,"v":1}""",
            Update.ToBytes(), UpdateManifest.Parse(Update.ToBytes()), Update);

    [Fact]
    public void A_global_manifest_is_this_text()
    {
        var signature = $"0x{X('1')}{X('2')}1c";
        var holdings = $$"""[{"bitmap":"0x0101","member":3,"signature":"{{signature}}"},{"bitmap":"0xff01","member":11,"signature":"{{signature}}"}]""";
        Same(
            $$"""{"aggregate":"0x{{X('f')}}","aggregator":3,"base":"0x{{X('b')}}","chain":31337,"holdings":{{holdings}},"included":"0x0301","kind":"global","payload":"{{Payload}}","policy":"0x{{X('a')}}","round":7,"rounds":"{{Rounds}}","set":"0x{{X('d')}}","size":4096,"state":null,"turn":1,"v":1}""",
            Global.ToBytes(), GlobalManifest.Parse(Global.ToBytes()), Global);
        Assert.Equal(Encoding.UTF8.GetBytes(holdings), GlobalManifest.HoldingsToBytes([Second, First]));
        Assert.Equal([First, Second], GlobalManifest.ParseHoldings(Encoding.UTF8.GetBytes(holdings)));
    }

    [Fact]
    public void A_global_manifest_can_name_its_holdings_by_CID_and_a_state()
    {
        var stored = Global with { Holdings = new HoldingsSource.Stored(Payload), State = new CarriedState(Payload, 77, Fill('9')) };
        Assert.Equal(stored, GlobalManifest.Parse(stored.ToBytes()));
        Assert.Contains($$"""{"payload":"{{Payload}}","plaintext":"0x{{X('9')}}","size":77}""", Encoding.UTF8.GetString(stored.ToBytes()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_zero_aggregate_has_no_payload_and_any_other_has_one()
    {
        var nothing = Global with { Aggregate = Hash256.Zero, Payload = null, Size = 0 };
        Assert.Equal(nothing, GlobalManifest.Parse(nothing.ToBytes()));
        Assert.Contains("'payload' should be null", Refusal((Global with { Aggregate = Hash256.Zero }).ToBytes(), GlobalManifest.Parse), StringComparison.Ordinal);
        Assert.Contains("with a payload", Refusal((Global with { Payload = null }).ToBytes(), GlobalManifest.Parse), StringComparison.Ordinal);
        Assert.Contains("with a payload", Refusal((Global with { Size = 0 }).ToBytes(), GlobalManifest.Parse), StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_is_this_text()
    {
        Same(
            $$$"""{"adapter":{"alpha":16,"bias":"none","fractionBits":20,"rank":8,"rslora":false,"targets":["q_proj","v_proj"],"v":1},"baseModel":"0x{{{X('a')}}}","encoding":"int32","postQuantum":false,"rule":{"name":"mean","weights":"uniform"},"schedule":["AB"],"seed":"0x{{{X('5')}}}","v":1,"weightCap":1,"work":{"maxSamples":1073741824,"maxSteps":10000}}""",
            Mean.ToBytes(), Policy.Parse(Mean.ToBytes()), Mean);
        Assert.Equal(Keccak256.Hash(Mean.ToString()), Mean.JsonHash);
        var other = Mean with { Schedule = Policy.Alternating, Encoding = UpdateEncoding.Int8, Rule = new AggregationRule.Mean(Weighting.Samples), WeightCap = 5000, PostQuantum = true, Work = new LocalWork(30, 999) };
        Assert.Equal(other, Policy.Parse(other.ToBytes()));
        Assert.NotEqual(Mean, other);
    }

    [Fact]
    public void The_alternating_schedule_starts_with_B_and_follows_finalised_rounds()
    {
        var policy = Mean with { Schedule = Policy.Alternating };
        Assert.Equal([Factors.B, Factors.A, Factors.B], [policy.FactorsAt(0), policy.FactorsAt(1), policy.FactorsAt(2)]);
        Assert.Equal(Factors.Both, Mean.FactorsAt(ulong.MaxValue));
    }

    [Fact]
    public void A_policy_that_nobody_could_read_is_not_written()
    {
        Assert.Throws<InvalidOperationException>(() => (Mean with { Schedule = [] }).ToBytes());
        Assert.Throws<InvalidOperationException>(() => (Mean with { WeightCap = 0 }).ToBytes());
        Assert.Throws<InvalidOperationException>(() => (Mean with { WeightCap = (1 << 20) + 1 }).JsonHash);
    }

    [Fact]
    public void A_profile_is_this_text()
    {
        var profile = new Profile("Klinik \"Süd\"", ["age1abc"], ["http://10.0.0.1:8080", "https://a.example/x"], Fill('a'), Fill('b'));
        Same(
            $$"""{"adapterConfig":"0x{{X('b')}}","age":["age1abc"],"baseModel":"0x{{X('a')}}","endpoints":["http://10.0.0.1:8080","https://a.example/x"],"name":"Klinik \"Süd\"","v":1}""",
            profile.ToBytes(), Profile.Parse(profile.ToBytes()), profile);
    }

    [Theory]
    [InlineData("ftp://a")]
    [InlineData("http://a/")]
    [InlineData("http://a?x=1")]
    [InlineData("http://u:p@a")]
    [InlineData("a.example")]
    public void An_endpoint_that_content_cannot_be_asked_from_is_refused(string endpoint) =>
        Assert.Throws<ArgumentException>(() => new Profile("n", ["age1"], [endpoint], default, default));

    [Fact]
    public void Holdings_are_this_text()
    {
        var holdings = new Holdings(new RoundId(7), Fill('d'), First);
        Same(
            $$"""{"bitmap":"0x0101","kind":"holdings","member":3,"round":7,"set":"0x{{X('d')}}","signature":"0x{{X('1')}}{{X('2')}}1c","v":1}""",
            holdings.ToBytes(), Holdings.Parse(holdings.ToBytes()), holdings);
        var wrongV = holdings.ToBytes().AsSpan().ToArray();
        Assert.Contains("ends in v = 27 or 28", Refusal(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(wrongV).Replace("1c\"", "1d\"", StringComparison.Ordinal)), Holdings.Parse), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"chain\":31337", "\"chain\":0", "update manifest's field 'chain' should be an integer from 1 to 9007199254740991; got 0")]
    [InlineData("\"kind\":\"update\"", "\"kind\":\"global\"", "'kind' should be \"update\"; got \"global\"")]
    [InlineData("\"member\":3", "\"member\":\"3\"", "'member' should be an integer from 1 to 4294967295; got \"3\"")]
    [InlineData("0xaaaa", "0xAAAA", "'policy' should be a hash")]
    [InlineData("0x5fbd", "0x5fb", "'rounds' should be an address")]
    [InlineData("\"payload\":\"bafkrei", "\"payload\":\"BAFKREI", "'payload' should be a CID")]
    [InlineData("\"payload\":\"bafkrei", "\"payload\":\"zafkrei", "'payload' should be a CID")]
    [InlineData("\"size\":4096", "\"size\":1099511627777", "'size' should be an integer")]
    [InlineData("\"v\":1", "\"v\":2", "'v' should be 1; got 2")]
    [InlineData("\"v\":1", "\"v\":1,\"w\":null", "unknown field 'w'")]
    [InlineData(",\"v\":1", "", "lacks the field 'v'")]
    [InlineData("\"v\":1", "\"v\":1.0", "integers below 2^53")]
    [InlineData(",\"v\":1", ", \"v\":1", "not canonical")]
    public void A_wrong_update_manifest_is_refused_by_field(string from, string to, string message) => Wrong(Update.ToBytes(), from, to, message, UpdateManifest.Parse);

    [Theory]
    [InlineData("\"turn\":1", "\"turn\":8", "'turn' should be an integer from 0 to 7; got 8")]
    [InlineData("\"included\":\"0x0301\"", "\"included\":\"0x030\"", "'included' should be at most 8192 bytes")]
    [InlineData("\"included\":\"0x0301\"", "\"included\":\"0xAA01\"", "'included' should be at most 8192 bytes")]
    [InlineData("\"member\":11", "\"member\":3", "member 3 follows 3")]
    [InlineData("\"member\":11", "\"member\":2", "member 2 follows 3")]
    [InlineData("\"member\":11", "\"moss\":11", "signed holding lacks the field 'member'")]
    [InlineData("\"state\":null", "\"state\":0", "global manifest's state should be an object; got an integer")]
    [InlineData("\"state\":null", "\"state\":{}", "global manifest's state lacks the field 'payload'")]
    public void A_wrong_global_manifest_is_refused_by_field(string from, string to, string message) => Wrong(Global.ToBytes(), from, to, message, GlobalManifest.Parse);

    [Theory]
    [InlineData("[\"AB\"]", "[\"BA\"]", "'schedule' should be an array of \"A\", \"B\" or \"AB\"")]
    [InlineData("[\"AB\"]", "[]", "'schedule' should be an array of 1 to 64 entries")]
    [InlineData("\"encoding\":\"int32\"", "\"encoding\":\"int4\"", "'encoding' should be \"int32\", \"int16\" or \"int8\"; got \"int4\"")]
    [InlineData("\"maxSteps\":10000", "\"maxSteps\":0", "policy's work's field 'maxSteps' should be")]
    [InlineData("\"maxSteps\":10000", "\"maxSteps\":10000,\"maxTime\":1", "policy's work has an unknown field 'maxTime'")]
    [InlineData("\"weightCap\":1", "\"weightCap\":1048577", "'weightCap' should be an integer from 1 to 1048576")]
    [InlineData("\"postQuantum\":false", "\"postQuantum\":0", "'postQuantum' should be true or false; got 0")]
    [InlineData("\"rank\":8", "\"rank\":8,\"rant\":1", "adapter configuration has an unknown field 'rant'")]
    public void A_wrong_policy_is_refused_by_field(string from, string to, string message) => Wrong(Mean.ToBytes(), from, to, message, Policy.Parse);

    [Fact]
    public void A_manifest_larger_than_a_block_is_neither_read_nor_written()
    {
        Assert.Contains("at most 262144", Refusal(new byte[Manifest.MaxSize + 1], UpdateManifest.Parse), StringComparison.Ordinal);
        var many = Enumerable.Range(1, 2000).Select(i => First with { Member = new MemberId((uint)i) });
        Assert.Contains("by CID", Assert.Throws<InvalidOperationException>(() => (Global with { Holdings = new HoldingsSource.Inline([.. many]) }).ToBytes()).Message, StringComparison.Ordinal);
    }

    /// <summary>The preimage spelled out: five words of 32 bytes.</summary>
    [Fact]
    public void A_model_id_is_the_hash_of_its_five_words()
    {
        var preimage = Hex.Decode($"0x{31337:x64}{new string('0', 24)}{Rounds.ToString()[2..]}{3:x64}{X('a')}{X('b')}");
        Assert.Equal(Keccak256.Hash(preimage), ModelId.Of(31337, Rounds, new MemberId(3), Fill('a'), Fill('b')));
    }

    private static void Same<T>(string text, byte[] bytes, T read, T original)
    {
        Assert.Equal(text, Encoding.UTF8.GetString(bytes));
        Assert.Equal(original, read);
    }

    private static void Wrong<T>(byte[] bytes, string from, string to, string message, Func<ReadOnlySpan<byte>, T> parse)
    {
        var text = Encoding.UTF8.GetString(bytes);
        Assert.Contains(from, text, StringComparison.Ordinal);
        var at = text.LastIndexOf(from, StringComparison.Ordinal);
        Assert.Contains(message, Refusal(Encoding.UTF8.GetBytes(text[..at] + to + text[(at + from.Length)..]), parse), StringComparison.Ordinal);
    }

    private static string Refusal<T>(byte[] bytes, Func<ReadOnlySpan<byte>, T> parse) => Assert.Throws<InvalidDataException>(() => { parse(bytes); }).Message;

    private static string X(char digit) => new(digit, 64);

    private static Hash256 Fill(char digit) => Hash256.Parse("0x" + X(digit));
}
