using FedChain.Protocol.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

/// <summary>A decoder in the Hugging Face layout: <c>config.json</c> and safetensors weights in a folder.</summary>
internal static class ModelFolder
{
    /// <summary>Reads configuration and weights.</summary>
    /// <exception cref="InvalidDataException">Something is missing, malformed or unsupported; the message names it.</exception>
    public static Decoder Load(string directory, Device device, WeightType weights = WeightType.Float32)
    {
        if (!Directory.Exists(directory))
        {
            throw new InvalidDataException($"The model folder {directory} doesn't exist.");
        }

        var config = DecoderConfig.Read(directory);
        var files = Checked(directory, config);
        var decoder = new Decoder(config, device, weights);
        try
        {
            WeightFiles.Load(files, decoder.Parameters, decoder.Quantized);
            return decoder;
        }
        catch
        {
            decoder.Dispose();
            throw;
        }
    }

    /// <summary>The weight files, whose headers are those that the configuration asks for: nothing is allocated on the word of one of the two.</summary>
    public static List<(string File, SafetensorsHeader Header)> Checked(string directory, DecoderConfig config)
    {
        using var outline = new Decoder(config, new Device(DeviceType.META)); // shapes without memory
        return WeightFiles.Open(directory, outline.Parameters, name => Unneeded(name, config));
    }

    /// <summary>Writes configuration and weights as one file; the tokenizer's files are the caller's.</summary>
    public static void Save(Decoder decoder, string directory, TensorType type)
    {
        Directory.CreateDirectory(directory);
        WeightFiles.Write(Path.Combine(directory, WeightFiles.SingleFile), decoder.Parameters, type);
        File.WriteAllBytes(Path.Combine(directory, DecoderConfig.FileName), decoder.Config.ToJson());
    }

    /// <summary>A tied model's second copy of its embedding, and the rotary frequencies that old files carry: both follow from the rest.</summary>
    private static bool Unneeded(string name, DecoderConfig config) =>
        (config.TiedEmbeddings && name == "lm_head.weight") || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);
}
