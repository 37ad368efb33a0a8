using System.Collections.Immutable;
using System.Text.Json;

namespace FedChain.Learning.Models;

/// <summary>
/// What fixes a decoder's shape and arithmetic, as a Hugging Face <c>config.json</c> names it. Reading one refuses, by name, every setting that would
/// change the numbers and that <see cref="Decoder"/> doesn't compute.
/// </summary>
public sealed record DecoderConfig
{
    /// <summary>The name of the file in a model's folder.</summary>
    public const string FileName = "config.json";

    /// <summary><c>model_type</c>; <c>llama</c> is supported.</summary>
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

    /// <summary><c>tie_word_embeddings</c>: the embedding matrix is also the output matrix.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Whether the query, key and value projections have a bias.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary><c>bos_token_id</c>.</summary>
    public int? BeginToken { get; init; }

    /// <summary><c>eos_token_id</c>: a text ends with any of these.</summary>
    public ImmutableArray<int> EndTokens { get; init; } = [];

    /// <summary>Reads <c>config.json</c> from a model's folder.</summary>
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
            return Parse(File.ReadAllBytes(file));
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
    public byte[] ToJson()
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("architectures");
            json.WriteStringValue("LlamaForCausalLM");
            json.WriteEndArray();
            json.WriteBoolean("attention_bias", QueryKeyValueBias);
            if (BeginToken is { } begin)
            {
                json.WriteNumber("bos_token_id", begin);
            }

            if (EndTokens is [var end])
            {
                json.WriteNumber("eos_token_id", end);
            }
            else if (EndTokens.Length > 1)
            {
                json.WriteStartArray("eos_token_id");
                EndTokens.ToList().ForEach(json.WriteNumberValue);
                json.WriteEndArray();
            }

            json.WriteNumber("head_dim", HeadSize);
            json.WriteString("hidden_act", "silu");
            json.WriteNumber("hidden_size", HiddenSize);
            json.WriteNumber("intermediate_size", IntermediateSize);
            json.WriteNumber("max_position_embeddings", ContextLength);
            json.WriteString("model_type", ModelType);
            json.WriteNumber("num_attention_heads", Heads);
            json.WriteNumber("num_hidden_layers", Layers);
            json.WriteNumber("num_key_value_heads", KeyValueHeads);
            json.WriteNumber("rms_norm_eps", NormEpsilon);
            json.WriteNumber("rope_theta", RopeTheta);
            json.WriteBoolean("tie_word_embeddings", TiedEmbeddings);
            json.WriteNumber("vocab_size", VocabSize);
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }

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
        foreach (var token in EndTokens.Concat(BeginToken is { } begin ? [begin] : []))
        {
            Expect(token >= 0 && token < VocabSize, $"bos_token_id and eos_token_id must be below vocab_size ({VocabSize}); one is {token}.");
        }

        static void Expect(bool holds, string message)
        {
            if (!holds)
            {
                throw new InvalidDataException(message);
            }
        }
    }
}
