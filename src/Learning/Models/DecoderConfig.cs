using System.Collections.Immutable;

namespace FedChain.Learning.Models;

/// <summary>
/// What fixes a decoder's shape and arithmetic, as a Hugging Face <c>config.json</c> names it. Reading one refuses, by name, every setting that would
/// change the numbers and that <see cref="Decoder"/> doesn't compute.
/// </summary>
public sealed record DecoderConfig
{
    /// <summary>The name of the file in a model's folder.</summary>
    public const string FileName = "config.json";

    private const string GenerationFile = "generation_config.json";

    /// <summary><c>model_type</c>: llama, mistral, qwen2, qwen3 or phi3.</summary>
    public string ModelType { get; init; } = "llama";

    /// <summary><c>vocab_size</c>: the number of token ids.</summary>
    public required int VocabSize { get; init; }

    /// <summary><c>hidden_size</c>: C, the width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary><c>intermediate_size</c>: the width inside the feed-forward part.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary><c>num_hidden_layers</c>.</summary>
    public required int Layers { get; init; }

    /// <summary><c>num_attention_heads</c>: query heads.</summary>
    public required int Heads { get; init; }

    /// <summary><c>num_key_value_heads</c>: divides <see cref="Heads"/>; each serves an equal group of query heads.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary><c>head_dim</c>; <c>hidden_size / num_attention_heads</c> where a file doesn't say. Even.</summary>
    public required int HeadSize { get; init; }

    /// <summary><c>max_position_embeddings</c>: the longest sequence in tokens.</summary>
    public required int ContextLength { get; init; }

    /// <summary><c>rms_norm_eps</c>.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary><c>rope_theta</c>: the base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary><c>rope_scaling</c>; null where the frequencies are used as they are.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary><c>tie_word_embeddings</c>: the embedding matrix is also the output matrix.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Whether the query, key and value projections have a bias.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>Whether the projection behind the attention has a bias.</summary>
    public bool OutputBias { get; init; }

    /// <summary>Whether the feed-forward projections have biases.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Whether each query and key head is normed before its rotation.</summary>
    public bool QueryKeyNorm { get; init; }

    /// <summary>Whether query, key and value are one projection, gate and up another.</summary>
    public bool FusedProjections { get; init; }

    /// <summary>A token attends to so many of the latest tokens, itself included; null for all.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Layers that attend to all tokens although there is a <see cref="SlidingWindow"/>.</summary>
    public ImmutableArray<int> FullAttentionLayers { get; init; } = [];

    /// <summary><c>bos_token_id</c>.</summary>
    public int? BeginToken { get; init; }

    /// <summary><c>eos_token_id</c>: a text ends with any of these.</summary>
    public ImmutableArray<int> EndTokens { get; init; } = [];

    /// <summary>
    /// Reads <c>config.json</c> from a model's folder, and from its <c>generation_config.json</c>, where there is one, what else ends a text: models that were
    /// made for conversations name the end of a turn only there.
    /// </summary>
    /// <exception cref="InvalidDataException">Missing, malformed, or with an unsupported architecture or setting; the message names it.</exception>
    public static DecoderConfig Read(string directory)
    {
        var file = Path.Combine(directory, FileName);
        if (!File.Exists(file))
        {
            throw new InvalidDataException($"The model folder {directory} has no {FileName}. Expected the Hugging Face layout: {FileName}, model.safetensors and tokenizer files.");
        }

        try
        {
            var config = Parse(File.ReadAllBytes(file));
            file = Path.Combine(directory, GenerationFile);
            return File.Exists(file) ? DecoderConfigReader.WithEndTokens(config, File.ReadAllBytes(file)) : config;
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{file}: {e.Message}", e);
        }
    }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">Malformed, or with an unsupported architecture or setting; the message names it.</exception>
    public static DecoderConfig Parse(ReadOnlyMemory<byte> json) => DecoderConfigReader.Read(json);

    /// <summary>The text of a <c>config.json</c> that Hugging Face reads as this model.</summary>
    public byte[] ToJson() => DecoderConfigWriter.Write(this);

    /// <summary>The window of a layer, counted from 0; null where it attends to all tokens.</summary>
    public int? WindowOf(int layer) => FullAttentionLayers.Contains(layer) ? null : SlidingWindow;

    /// <summary>Checks sizes against each other; called by whoever builds a model from it.</summary>
    /// <exception cref="InvalidDataException">They contradict each other; the message says how.</exception>
    public void Validate()
    {
        foreach (var (name, value, most) in new[]
        {
            ("vocab_size", VocabSize, 1 << 22), ("hidden_size", HiddenSize, 1 << 16), ("intermediate_size", IntermediateSize, 1 << 18),
            ("num_hidden_layers", Layers, 1 << 10), ("num_attention_heads", Heads, 1 << 10), ("num_key_value_heads", KeyValueHeads, 1 << 10),
            ("head_dim", HeadSize, 1 << 12), ("max_position_embeddings", ContextLength, 1 << 24),
        })
        {
            Expect(value >= 1 && value <= most, $"{name} must be from 1 to {most}; it is {value}.");
        }

        Expect(Heads % KeyValueHeads == 0, $"num_attention_heads ({Heads}) must be a multiple of num_key_value_heads ({KeyValueHeads}).");
        Expect(HeadSize % 2 == 0, $"head_dim must be even (rotary halves); it is {HeadSize}.");
        Expect(NormEpsilon > 0 && double.IsFinite(NormEpsilon), $"rms_norm_eps must be positive; it is {NormEpsilon}.");
        Expect(RopeTheta > 0 && double.IsFinite(RopeTheta), $"rope_theta must be positive; it is {RopeTheta}.");
        Expect(SlidingWindow is null or >= 1, $"sliding_window must be at least 1; it is {SlidingWindow}.");
        ValidateScaling();
        foreach (var token in EndTokens.Concat(BeginToken is { } begin ? [begin] : []))
        {
            Expect(token >= 0 && token < VocabSize, $"bos_token_id and eos_token_id must be below vocab_size ({VocabSize}); one is {token}.");
        }

    }

    private void ValidateScaling()
    {
        var factor = RopeScaling switch { RopeScaling.Linear linear => linear.Factor, RopeScaling.Llama3 llama3 => llama3.Factor, _ => 1 };
        Expect(factor >= 1 && double.IsFinite(factor), $"rope_scaling's factor must be at least 1; it is {factor}.");
        if (RopeScaling is RopeScaling.Llama3 { } ramp)
        {
            Expect(
                ramp.LowFrequencyFactor > 0 && ramp.HighFrequencyFactor > ramp.LowFrequencyFactor && double.IsFinite(ramp.HighFrequencyFactor),
                $"rope_scaling's low_freq_factor ({ramp.LowFrequencyFactor}) must be positive and below high_freq_factor ({ramp.HighFrequencyFactor}).");
            Expect(ramp.OriginalContext >= 1, $"rope_scaling's original_max_position_embeddings must be at least 1; it is {ramp.OriginalContext}.");
        }
    }

    private static void Expect(bool holds, string message)
    {
        if (!holds)
        {
            throw new InvalidDataException(message);
        }
    }
}
