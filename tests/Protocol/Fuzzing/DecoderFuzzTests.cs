using System.Numerics;
using System.Text;
using FedChain.Protocol.Content;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Ethereum.Transactions;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Tests.Files;
using FedChain.Tests;

namespace FedChain.Protocol.Tests.Fuzzing;

/// <summary>Every decoder that reads what others have written, given what no honest one writes.</summary>
public sealed class DecoderFuzzTests
{
    private static readonly Hash256 Hash = Hash256.Parse("0x" + new string('1', 64));
    private static readonly Address Someone = Address.Parse("0x5fbdb2315678afecb367f032d93f642f64180aa3");
    private static readonly Cid Payload = Cid.RawOf(Hash);
    private static readonly SignedHolding Holding = new(new MemberId(3), SubmissionBitmap.Of(9, [0, 8]), new Signature(Hash, Hash, yIsOdd: true));

    private static readonly GlobalManifest Global = new(
        31337, Someone, new RoundId(7), 1, new MemberId(3), Hash, Hash, Hash, SubmissionBitmap.Of(9, [0, 1, 8]),
        new HoldingsSource.Inline([Holding, Holding with { Member = new MemberId(11) }]), Hash, Payload, 4096, new CarriedState(Payload, 9, Hash));

    [Fact]
    public void Rlp_is_read_or_refused() => Fuzzer.Run(
        [.. ((RlpItem[])[RlpItem.Of(Hash.ToArray()), RlpItem.List(RlpItem.Of(1), RlpItem.List(), RlpItem.List(RlpItem.Of(new byte[70]), RlpItem.Of(0))), RlpItem.List([.. Enumerable.Range(0, 90).Select(i => RlpItem.Of(i))])]).Select(Rlp.Encode)],
        input => Rlp.Decode(input), e => e is FormatException, perByte: 128, constant: 16_384);

    [Fact]
    public void A_signed_transaction_is_read_or_refused()
    {
        using var key = new PrivateKey(Hash.ToArray());
        var dynamic = new DynamicFeeTransaction { ChainId = 1, Nonce = 2, MaxFeePerGas = 3, MaxPriorityFeePerGas = 1, GasLimit = 21_000, To = Someone, Value = 5, Data = new byte[100] };
        Fuzzer.Run(
            [
                dynamic.Sign(key).Raw.ToArray(),
                new LegacyTransaction { ChainId = 1, Nonce = 2, GasPrice = 3, GasLimit = 21_000, To = null, Value = 5, Data = new byte[9] }.Sign(key).Raw.ToArray(),
            ],
            input => SignedTransaction.Decode(input), e => e is FormatException, perByte: 256, constant: 1 << 20); // the sender's key is recovered
    }

    [Fact]
    public void Abi_values_are_read_or_refused()
    {
        AbiType[] types = [.. ((string[])["uint256", "(bytes,string[])[]", "address[2]", "bytes32", "bool", "(uint8,int64,string)", "uint16[][]"]).Select(AbiType.Parse)];
        var valid = AbiEncoder.Encode(types, [
            new BigInteger(7), (object[])[(object[])[new byte[40], (object[])["a", "bc"]], (object[])[Array.Empty<byte>(), Array.Empty<object>()]],
            (object[])[Someone, Someone], Hash.ToArray(), true, (object[])[new BigInteger(1), new BigInteger(-1), "text"], (object[])[(object[])[new BigInteger(1)], Array.Empty<object>()]]);
        Fuzzer.Run([valid], input => AbiDecoder.Decode(types, input), e => e is FormatException, perByte: 64, constant: 16_384);
    }

    /// <summary>The first byte says which event it is, the second how many topics it has.</summary>
    [Fact]
    public void An_event_is_read_or_refused()
    {
        var events = ContractEvents.All.OrderBy(e => e.Signature, StringComparer.Ordinal).ToList();
        var seeds = events.Select((e, i) => (byte[])[
            (byte)i, (byte)e.Inputs.Count(p => p.IsIndexed), .. new byte[Word.Size * e.Inputs.Count(p => p.IsIndexed)],
            .. AbiEncoder.Encode([.. e.Inputs.Where(p => !p.IsIndexed).Select(p => p.Type)], [.. e.Inputs.Where(p => !p.IsIndexed).Select(p => Least(p.Type))])]);
        Fuzzer.Run([.. seeds.Where(IsRead)], Decode, e => e is FormatException, perByte: 64, constant: 16_384);
        Assert.True(seeds.Count(IsRead) > events.Count / 2, "most events have a valid seed");

        void Decode(byte[] input)
        {
            if (input.Length < 2)
            {
                return;
            }

            var words = input.AsSpan(2).ToArray().Chunk(Word.Size).ToList();
            var topics = Math.Min(input[1] % 5, words.Count(w => w.Length == Word.Size));
            ContractEvents.Decode([events[input[0] % events.Count].Topic, .. words.Take(topics).Select(w => new Hash256(w))], input.AsSpan(2 + (topics * Word.Size)));
        }

        bool IsRead(byte[] seed)
        {
            try
            {
                Decode(seed);
                return true;
            }
            catch (FormatException)
            {
                return false; // a member or round of number 0
            }
        }
    }

    [Fact]
    public void Whatever_a_contract_says_when_it_refuses_is_read() => Fuzzer.Run(
        [.. ContractErrors.BySelector.Values.Select(e => e.Encode([.. e.Inputs.Select(p => Least(p.Type))]))],
        input => _ = ContractRefusal.Decode(input).ToString(), _ => false, perByte: 64, constant: 16_384);

    [Fact]
    public void Json_is_read_or_refused() => Fuzzer.Run(
        [Encoding.UTF8.GetBytes("""{"a":[1,-2,{"b":"x\n\u0000é"},null,true],"c":{"d":"","e":9007199254740991}}"""), Global.ToBytes()],
        input => CanonicalJson.Parse(input, 1 << 20), e => e is InvalidDataException, perByte: 256, constant: 32_768);

    [Fact]
    public void A_manifest_is_read_or_refused()
    {
        var update = new UpdateManifest(31337, Someone, new RoundId(7), new MemberId(3), Hash, Hash, Payload, 4096, Hash);
        Fuzzer.Run([update.ToBytes()], input => UpdateManifest.Parse(input), e => e is InvalidDataException, perByte: 256, constant: 32_768);
        Fuzzer.Run([Global.ToBytes(), (Global with { Holdings = new HoldingsSource.Stored(Payload) }).ToBytes()], input => GlobalManifest.Parse(input), e => e is InvalidDataException, perByte: 256, constant: 32_768);
        Fuzzer.Run([GlobalManifest.HoldingsToBytes([Holding])], input => GlobalManifest.ParseHoldings(input), e => e is InvalidDataException, perByte: 256, constant: 32_768);
        Fuzzer.Run([new Holdings(new RoundId(7), Hash, Holding).ToBytes()], input => Holdings.Parse(input), e => e is InvalidDataException, perByte: 256, constant: 32_768);
        Fuzzer.Run(
            [new Policy { BaseModel = Hash, Adapter = new AdapterConfig(8, 16, ["q_proj", "v_proj"]), Seed = Hash }.ToBytes()],
            input => Policy.Parse(input), e => e is InvalidDataException, perByte: 256, constant: 32_768);
    }

    [Fact]
    public void A_profile_is_read_or_refused()
    {
        using var identity = AgeIdentity.Generate();
        var profile = new Profile("St. Anna", [identity.Recipient.ToString()], ["https://fedchain.st-anna.example", "http://[::1]:8080/a"], Hash, Hash);
        Fuzzer.Run([profile.ToBytes()], input => Profile.Parse(input), e => e is InvalidDataException, perByte: 256, constant: 32_768);
    }

    [Fact]
    public void A_cid_is_read_or_refused()
    {
        Cid[] valid = [Payload, Cid.DagPbOf(Hash), Cid.V0Of(Hash), Cid.Parse("bafkqaaa")];
        Fuzzer.Run([.. valid.Select(c => c.ToArray())], input => _ = Cid.TryRead(input, out _, out _), _ => false, perByte: 16, constant: 4096);
        Fuzzer.Run([.. valid.Select(c => Encoding.ASCII.GetBytes(c.ToString()))], input => _ = Cid.TryParse(Encoding.Latin1.GetString(input), out _), _ => false, perByte: 64, constant: 16_384);
    }

    [Fact]
    public void A_recipient_is_read_or_refused()
    {
        using var identity = AgeIdentity.Generate();
        using var hybrid = AgeIdentity.Generate(AgeKeyKind.MlKem768X25519);
        Fuzzer.Run(
            [Encoding.ASCII.GetBytes(identity.Recipient.ToString()), Encoding.ASCII.GetBytes(hybrid.Recipient.ToString())],
            input => _ = AgeRecipient.TryParse(Encoding.Latin1.GetString(input), out _), _ => false, perByte: 64, constant: 65_536);
    }

    [Fact]
    public async Task A_car_is_read_or_refused()
    {
        const int MaxBlock = 1 << 16;
        var cancel = TestContext.Current.CancellationToken;
        using var car = new MemoryStream();
        var writer = await CarWriter.StartAsync(car, [Payload, Cid.V0Of(Hash)], cancel);
        foreach (var block in (byte[][])[[1, 2, 3], new byte[700], []])
        {
            await writer.WriteAsync(Cid.OfRawBlock(block), block, cancel);
        }

        Fuzzer.RunAsync([car.ToArray()], ReadAsync, e => e is InvalidDataException or EndOfStreamException, perByte: 32, constant: 786_432);

        async Task ReadAsync(byte[] input)
        {
            var reader = await CarReader.OpenAsync(new MemoryStream(input), MaxBlock, cancel);
            while (await reader.ReadAsync(cancel) is not null)
            {
            }
        }
    }

    [Fact]
    public void A_node_of_a_file_is_read_or_refused()
    {
        var file = new UnixFsFile(ReadOnlyMemory<byte>.Empty, 300_000, [262_144, 37_856]).Encode();
        var node = new DagPbNode([new DagPbLink(Payload, "", 262_144), new DagPbLink(Cid.DagPbOf(Hash), "name", 37_856), new DagPbLink(Payload, null, null)], file).Encode();
        Fuzzer.Run([node], input => DagPbNode.Decode(input), e => e is InvalidDataException, perByte: 64, constant: 16_384);
        Fuzzer.Run(
            [file, new UnixFsFile(new byte[50], 50, []).Encode()], input => UnixFsFile.Decode(input), e => e is InvalidDataException, perByte: 32, constant: 16_384);
    }

    [Theory]
    [InlineData(AgeKeyKind.X25519, false)]
    [InlineData(AgeKeyKind.X25519, true)]
    [InlineData(AgeKeyKind.MlKem768X25519, false)]
    public void A_sealed_file_is_opened_or_refused(AgeKeyKind kind, bool armored)
    {
        using var identity = AgeIdentity.Generate(kind);
        using var other = AgeIdentity.Generate(kind);
        var seeds = ((int[])[0, 200]).Select(size =>
        {
            using var whole = new MemoryStream();
            using var armor = new AgeArmorWriter(whole, leaveOpen: true);
            using var age = new AgeWriter(armored ? armor : whole, [other.Recipient, identity.Recipient], leaveOpen: true);
            age.Write(new byte[size]);
            age.Complete();
            if (armored)
            {
                armor.Complete();
            }

            return whole.ToArray();
        });
        Fuzzer.Run(
            [.. seeds],
            input =>
            {
                using Stream source = armored ? new AgeArmorReader(new MemoryStream(input)) : new MemoryStream(input);
                using var reader = AgeReader.Open(source, [identity]);
                reader.CopyTo(Stream.Null, 65_536);
            },
            e => e is AgeException, perByte: 64, constant: 1 << 20); // two buffers of a chunk each, pooled, and BouncyCastle's
    }

    [Fact]
    public void A_safetensors_file_is_read_or_refused()
    {
        var layout = Adapters.Small;
        var adapter = Adapters.Bytes(new Adapter(layout, 20, new int[layout.Count]));
        var update = Adapters.Bytes(Adapters.Metadata, layout, Factors.B, new int[layout.CountOf(Factors.B)]);
        using var state = new MemoryStream();
        StateFile.Write(state, StateKind.Velocity, StateVector.Zero(layout));
        byte[][] all = [adapter, update, state.ToArray()];
        Fuzzer.Run(all, input => SafetensorsHeader.Parse(input), e => e is InvalidDataException, perByte: 256, constant: 32_768);
        Fuzzer.Run([adapter], input => AdapterFile.Read(new MemoryStream(input), input.Length, 20, layout: null, out _), e => e is InvalidDataException, perByte: 256, constant: 524_288);
        Fuzzer.Run([update], input => UpdateFile.ReadHeader(new MemoryStream(input), input.Length), e => e is InvalidDataException, perByte: 256, constant: 32_768);
        Fuzzer.Run([state.ToArray()], input => StateFile.Read(new MemoryStream(input), input.Length, StateKind.Velocity, layout, out _), e => e is InvalidDataException, perByte: 256, constant: 524_288);
    }

    private static object Least(AbiType type) => type.Kind switch
    {
        AbiKind.UInt or AbiKind.Int => new BigInteger(1),
        AbiKind.Bool => true,
        AbiKind.Address => Someone,
        AbiKind.FixedBytes => new byte[type.Size],
        AbiKind.Bytes => new byte[5],
        AbiKind.String => "text",
        AbiKind.Tuple => type.Components.Select(c => Least(c.Type)).ToArray(),
        AbiKind.FixedArray => Enumerable.Repeat(Least(type.Element!), type.Size).ToArray(),
        _ => (object[])[Least(type.Element!)],
    };
}
