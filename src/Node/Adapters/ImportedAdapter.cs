using System.Security.Cryptography;
using FedChain.Learning.Lora;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Numerics;

namespace FedChain.Node.Adapters;

/// <summary>
/// An adapter from elsewhere, or the institution's own, that the home holds under a name: <c>adapters/imported/NAME/</c>, a PEFT folder in the federation's
/// fixed point, with the base model that it was checked against.
/// </summary>
/// <param name="Name">Its name in this home.</param>
/// <param name="Folder">Where it lies.</param>
internal sealed record ImportedAdapter(string Name, string Folder)
{
    private const int LongestName = 64;

    /// <summary>SHA-256 of the weights' file, as an aggregate on the chain has it.</summary>
    public Hash256 Digest
    {
        get
        {
            using var file = File.OpenRead(Path.Combine(Folder, PeftFolder.WeightsFile));
            return new Hash256(SHA256.HashData(file));
        }
    }

    /// <exception cref="UserErrorException">A name that no folder should have.</exception>
    public static string CheckedName(string name) =>
        name.Length is > 0 and <= LongestName && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && !name.EndsWith(AtomicFile.Unfinished, StringComparison.Ordinal)
            ? name
            : throw new UserErrorException($"An adapter's name has 1 to {LongestName} letters, digits, dots, hyphens and underscores, a letter or digit first; got '{name}'.");

    public static IReadOnlyList<ImportedAdapter> AllOf(HomeFolder home) => Directory.Exists(ParentOf(home))
        ? [.. Directory.GetDirectories(ParentOf(home)).Where(d => !d.EndsWith(AtomicFile.Unfinished, StringComparison.Ordinal) && File.Exists(Path.Combine(d, PeftFolder.WeightsFile))).Order(StringComparer.Ordinal).Select(d => new ImportedAdapter(Path.GetFileName(d), d))]
        : [];

    /// <exception cref="UserErrorException">The home holds none of this name.</exception>
    public static ImportedAdapter Find(HomeFolder home, string name)
    {
        var all = AllOf(home);
        return all.FirstOrDefault(a => a.Name == name)
            ?? throw new UserErrorException($"This home has no adapter '{name}'. {(all.Count == 0 ? "'fedchain adapter import' imports one." : $"It has: {string.Join(", ", all.Select(a => a.Name))}.")}");
    }

    /// <summary>The name, if an adapter can be added under it.</summary>
    /// <exception cref="UserErrorException">The name is taken, or none that a folder should have.</exception>
    public static string RequireFree(HomeFolder home, string name)
    {
        var folder = FolderOf(home, CheckedName(name));
        return !Path.Exists(folder) ? name
            : throw new UserErrorException($"This home has an adapter '{name}' already. Choose another name with --name, or delete {folder}.");
    }

    /// <summary>Takes an adapter in. It appears whole or not at all.</summary>
    /// <param name="home">Where.</param>
    /// <param name="name">Under which name.</param>
    /// <param name="given">The adapter; its shapes were checked.</param>
    /// <param name="fractionBits">The fixed point that it is rounded to.</param>
    /// <param name="baseModel">Digest of the base model that it was checked against.</param>
    /// <returns>The adapter, and the furthest that a value was rounded.</returns>
    /// <exception cref="UserErrorException">The name is taken, or a value is beyond the fixed point.</exception>
    public static (ImportedAdapter Adapter, double Rounding) Add(HomeFolder home, string name, PeftFolder given, int fractionBits, Hash256 baseModel)
    {
        var folder = FolderOf(home, RequireFree(home, name));
        var (values, rounding) = Rounded(given, fractionBits);
        Directory.CreateDirectory(ParentOf(home));
        var building = $"{folder}.{Guid.NewGuid():N}{AtomicFile.Unfinished}";
        try
        {
            (given with { Values = values }).Write(building, baseModelNameOrPath: null);
            new AdapterOrigin(baseModel, given.Config.Digest).Write(building);
            Directory.Move(building, folder);
        }
        finally
        {
            if (Directory.Exists(building))
            {
                Directory.Delete(building, recursive: true);
            }
        }

        return (new ImportedAdapter(name, folder), rounding);
    }

    private static string FolderOf(HomeFolder home, string name) => Path.Combine(ParentOf(home), name);

    private static string ParentOf(HomeFolder home) => Path.Combine(home.AdaptersPath, "imported");

    private static (float[] Values, double Rounding) Rounded(PeftFolder given, int fractionBits)
    {
        var most = Math.ScaleB(FixedPoint.MaxValue, -fractionBits);
        foreach (var tensor in given.Layout.Tensors)
        {
            var values = given.Values.AsSpan(tensor.Offset, tensor.Count);
            for (var i = 0; i < values.Length; i++)
            {
                if (Math.Abs(values[i]) > most)
                {
                    throw new UserErrorException(FormattableString.Invariant(
                        $"Value {i} of '{tensor.Name}' is {values[i]:R}; adapters hold values within ±{most:0.######} (fixed point with {fractionBits} fraction bits). Train it with a lower learning rate or more weight decay."));
                }
            }
        }

        var integers = new int[given.Values.Length];
        var rounded = new float[given.Values.Length];
        FixedPoint.Quantize(given.Values, fractionBits, integers);
        FixedPoint.Dequantize(integers, fractionBits, rounded);
        return (rounded, given.Values.Zip(rounded, (a, b) => Math.Abs((double)a - b)).Max());
    }
}
