using FedChain.Aggregator;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Bench;

/// <summary>
/// One round's updates of the size that a 7B model's adapter has (r 32 on q and v, 25 layers: 52 MB at four bytes a value), in files that lie in memory
/// where the machine allows it.
/// </summary>
internal sealed class UpdateSet : IDisposable
{
    /// <summary>How often all updates lie in memory: as files, with a byte a value, and with NumPy in float32 and, as Flower sums, weighted.</summary>
    private const double Copies = 3.3;

    private readonly List<UpdatePlaintext> _plaintexts;

    private UpdateSet(RoundTerms terms, List<string> paths, List<UpdateManifest> manifests, List<UpdatePlaintext> plaintexts, List<ValidUpdate> updates) =>
        (Terms, Paths, Manifests, _plaintexts, Updates) = (terms, paths, manifests, plaintexts, updates);

    public RoundTerms Terms { get; }

    public IReadOnlyList<string> Paths { get; }

    public IReadOnlyList<UpdateManifest> Manifests { get; }

    public IReadOnlyList<UpdatePlaintext> Plaintexts => _plaintexts;

    public IReadOnlyList<ValidUpdate> Updates { get; }

    /// <summary>All files together.</summary>
    public double Gigabytes => Plaintexts.Sum(p => p.Length) / 1e9;

    /// <summary>As many of the wanted members as this machine's free memory allows.</summary>
    public static int MembersFor(int wanted, int layers)
    {
        var free = 1024.0 * long.Parse(File.ReadLines("/proc/meminfo").First(l => l.StartsWith("MemAvailable", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
        var most = (int)((free - 2e9) / (Copies * sizeof(int) * LayoutOf(layers, out _).Count));
        if (most < wanted)
        {
            Console.WriteLine($"{free / 1e9:0} GB of memory are free: {most} members in place of {wanted}.");
        }

        return Math.Clamp(most, 8, wanted);
    }

    /// <param name="folder">Where the files go.</param>
    /// <param name="members">How many.</param>
    /// <param name="layers">25 for 52 MB.</param>
    /// <param name="encoding">Of the updates.</param>
    /// <param name="weighting">Of the policy; the updates claim 1 to 999 samples.</param>
    public static UpdateSet Create(string folder, int members, int layers, UpdateEncoding encoding, Weighting weighting)
    {
        var layout = LayoutOf(layers, out var config);
        var policy = new Policy { BaseModel = default, Adapter = config, Seed = default, Rule = new AggregationRule.Mean(weighting), WeightCap = 1000, Encoding = encoding };
        var @base = new Adapter(layout, config.FractionBits, new int[layout.Count]);
        var terms = new RoundTerms(1, Address.Zero, new RoundId(1), policy.JsonHash, policy, 0, AdapterFile.Digest(@base), @base, Hash256.Zero);
        var paths = Enumerable.Range(1, members).Select(member => Path.Combine(folder, $"{encoding}-{member}.safetensors")).ToList();
        var manifests = paths.Select((path, i) => Write(path, (uint)i + 1, terms)).ToList();
        var plaintexts = paths.ConvertAll(UpdatePlaintext.Open);
        return new UpdateSet(terms, paths, manifests, plaintexts, [.. plaintexts.Zip(manifests, (plaintext, manifest) => Validate(plaintext, manifest, terms))]);
    }

    public static ValidUpdate Validate(UpdatePlaintext plaintext, UpdateManifest manifest, RoundTerms terms) =>
        UpdateValidator.Validate(plaintext, manifest, manifest.Member, terms) is UpdateVerdict.Accepted(var update)
            ? update
            : throw new InvalidOperationException("The benchmark wrote an update that is refused.");

    public void Dispose() => _plaintexts.ForEach(p => p.Dispose());

    private static AdapterLayout LayoutOf(int layers, out AdapterConfig config)
    {
        config = new AdapterConfig(32, 64, ["q_proj", "v_proj"]);
        return AdapterLayout.Create(config, Enumerable.Range(0, layers).SelectMany(i => new[] { ($"model.layers.{i}.self_attn.q_proj", 4096, 4096), ($"model.layers.{i}.self_attn.v_proj", 4096, 4096) }));
    }

    private static UpdateManifest Write(string path, uint member, RoundTerms terms)
    {
        var random = new Random((int)member);
        var differences = new int[terms.Base.Layout.Count];
        foreach (ref var difference in differences.AsSpan())
        {
            difference = random.Next(-FixedPoint.MaxValue, FixedPoint.MaxValue);
        }

        var losses = new UpdateLosses(new Micronats(3), new Micronats(2), new Micronats(1));
        var metadata = new UpdateMetadata(
            terms.Chain, terms.Rounds, terms.Round, new MemberId(member), terms.PolicyHash, terms.BaseDigest, Hash256.Zero, random.Next(1, 1000), losses);
        Hash256 digest;
        using (var file = File.Create(path))
        {
            digest = UpdateFile.Write(file, metadata, EncodedDifferences.Nearest(terms.Policy.Encoding, terms.Base, terms.Factors, differences));
        }

        return new UpdateManifest(
            terms.Chain, terms.Rounds, terms.Round, new MemberId(member), terms.PolicyHash, terms.BaseDigest, Cid.RawOf(digest), 1, digest);
    }
}
