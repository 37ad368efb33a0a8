using System.Collections.Immutable;

namespace FedChain.Protocol.Files;

/// <summary>LoRA's factors: a layer's update is scale * B A, with A (rank x inputs) and B (outputs x rank).</summary>
[Flags]
public enum Factors
{
    None = 0,
    A = 1,
    B = 2,
    Both = A | B,
}

/// <summary>One factor of one adapted layer.</summary>
/// <param name="Name">PEFT's name, such as <c>base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight</c>.</param>
/// <param name="Factor">A or B.</param>
/// <param name="Rows">A: rank. B: the layer's outputs.</param>
/// <param name="Columns">A: the layer's inputs. B: rank.</param>
/// <param name="Offset">Index of its first element in the adapter's integer vector.</param>
public sealed record AdapterTensor(string Name, Factors Factor, int Rows, int Columns, int Offset)
{
    /// <summary>The number of elements.</summary>
    public int Count => Rows * Columns;
}

/// <summary>
/// Names and shapes of an adapter's tensors in the order of their bytes (sorted by name), and with it the meaning of each element of the
/// adapter's integer vector. Two layouts are equal if all of that is.
/// </summary>
public sealed class AdapterLayout : IEquatable<AdapterLayout>
{
    /// <summary>The most elements of an adapter: 2^29, files of 2 GiB.</summary>
    public const int MaxElements = 1 << 29;

    private const string Prefix = "base_model.model.";
    private const string SuffixA = ".lora_A.weight";
    private const string SuffixB = ".lora_B.weight";

    private AdapterLayout(ImmutableArray<AdapterTensor> tensors, int rank)
    {
        Tensors = tensors;
        Rank = rank;
        Count = tensors[^1].Offset + tensors[^1].Count;
    }

    /// <summary>The tensors, sorted by name, without gaps.</summary>
    public ImmutableArray<AdapterTensor> Tensors { get; }

    /// <summary>r of every layer.</summary>
    public int Rank { get; }

    /// <summary>All elements.</summary>
    public int Count { get; }

    /// <summary>The layout of an adapter for a model.</summary>
    /// <param name="config">Rank and targets.</param>
    /// <param name="layers">The model's linear layers: path such as <c>model.layers.0.self_attn.q_proj</c>, inputs, outputs. Those whose last name is a target are adapted.</param>
    /// <exception cref="ArgumentException">A target that no layer has, or a layer that can't be adapted.</exception>
    public static AdapterLayout Create(AdapterConfig config, IEnumerable<(string Path, int Inputs, int Outputs)> layers)
    {
        var adapted = layers.Where(layer => config.Targets.Contains(Last(layer.Path))).ToList();
        var missing = config.Targets.Except(adapted.Select(layer => Last(layer.Path)), StringComparer.Ordinal).FirstOrDefault();
        if (missing is not null)
        {
            throw new ArgumentException($"The model has no linear layer '{missing}', which the adapter configuration targets.", nameof(layers));
        }

        try
        {
            return Build(adapted.SelectMany(layer => new (string, IReadOnlyList<long>)[]
            {
                (Prefix + layer.Path + SuffixA, [config.Rank, layer.Inputs]),
                (Prefix + layer.Path + SuffixB, [layer.Outputs, config.Rank]),
            }));
        }
        catch (InvalidDataException e)
        {
            throw new ArgumentException(e.Message, nameof(layers), e);
        }
    }

    /// <summary>The layout that a file's header describes.</summary>
    /// <exception cref="InvalidDataException">Not the two factors of LoRA layers of one rank, PEFT's names, at most <see cref="MaxElements"/> elements.</exception>
    public static AdapterLayout FromHeader(SafetensorsHeader header) => Build(header.Tensors.Select(t => (t.Name, (IReadOnlyList<long>)t.Shape)));

    /// <summary>The tensors of these factors, in order.</summary>
    public ImmutableArray<AdapterTensor> Of(Factors factors) =>
        factors == Factors.Both ? Tensors : [.. Tensors.Where(t => factors.HasFlag(t.Factor))];

    /// <summary>The elements of these factors.</summary>
    public int CountOf(Factors factors) => Of(factors).Sum(t => t.Count);

    public bool Equals(AdapterLayout? other) => other is not null && Tensors.SequenceEqual(other.Tensors);

    public override bool Equals(object? obj) => Equals(obj as AdapterLayout);

    public override int GetHashCode() => HashCode.Combine(Count, Tensors[0]);

    private static AdapterLayout Build(IEnumerable<(string Name, IReadOnlyList<long> Shape)> described)
    {
        var tensors = ImmutableArray.CreateBuilder<AdapterTensor>();
        var (offset, rank) = (0L, 0L);
        foreach (var (name, shape) in described.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            var factor = FactorOf(name);
            if (shape is not [> 0 and <= int.MaxValue, > 0 and <= int.MaxValue] || tensors.Count > 0 && tensors[^1].Name == name)
            {
                throw new InvalidDataException($"Tensor '{name}' should occur once, with two dimensions; its shape is [{string.Join(", ", shape)}].");
            }

            var ownRank = factor == Factors.A ? shape[0] : shape[1];
            rank = tensors.Count == 0 ? ownRank : rank;
            offset += shape[0] * shape[1];
            if (ownRank != rank || offset > MaxElements)
            {
                throw new InvalidDataException(
                    $"Tensor '{name}' of shape [{string.Join(", ", shape)}] should have rank {rank}, as the others, and the adapter at most {MaxElements} elements.");
            }

            tensors.Add(new AdapterTensor(name, factor, (int)shape[0], (int)shape[1], (int)(offset - (shape[0] * shape[1]))));
        }

        if (tensors.Count == 0)
        {
            throw new InvalidDataException("An adapter has at least one layer; this one has no tensors.");
        }

        var names = tensors.Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        var single = names.FirstOrDefault(name => !names.Contains(Partner(name)));
        return single is null
            ? new AdapterLayout(tensors.ToImmutable(), (int)rank)
            : throw new InvalidDataException($"Tensor '{single}' lacks its other factor '{Partner(single)}'.");
    }

    /// <exception cref="InvalidDataException">Not PEFT's name of a LoRA factor.</exception>
    internal static Factors FactorOf(string name)
    {
        var factor = name.EndsWith(SuffixA, StringComparison.Ordinal) ? Factors.A : name.EndsWith(SuffixB, StringComparison.Ordinal) ? Factors.B : Factors.None;
        return factor != Factors.None && name.StartsWith(Prefix, StringComparison.Ordinal) && name.Length <= 256
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-')
                ? factor
                : throw new InvalidDataException($"'{name}' is not PEFT's name of a LoRA factor ({Prefix}….lora_A.weight or ….lora_B.weight).");
    }

    private static string Partner(string name) =>
        name.EndsWith(SuffixA, StringComparison.Ordinal) ? name[..^SuffixA.Length] + SuffixB : name[..^SuffixB.Length] + SuffixA;

    private static string Last(string path) => path[(path.LastIndexOf('.') + 1)..];
}
