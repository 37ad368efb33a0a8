using FedChain.Learning.Models;

namespace FedChain.Learning.Tokenization;

/// <summary>The tokenizer in a Hugging Face model folder.</summary>
public static class TokenizerFolder
{
    /// <summary>
    /// <c>tokenizer.model</c> (SentencePiece) where there is one, else <c>tokenizer.json</c>. Of two, the first is what the second was converted from.
    /// </summary>
    /// <exception cref="InvalidDataException">There is none, or one of a kind that can't be reproduced; the message names what.</exception>
    public static ITokenizer Load(string modelFolder)
    {
        if (File.Exists(Path.Combine(modelFolder, SentencePieceTokenizer.FileName)))
        {
            return SentencePieceTokenizer.LoadFrom(modelFolder);
        }

        var file = Path.Combine(modelFolder, JsonTokenizer.FileName);
        return File.Exists(file)
            ? JsonTokenizer.Load(file, File.Exists(Path.Combine(modelFolder, DecoderConfig.FileName)) && DecoderConfig.Read(modelFolder).EndTokens is [var end, ..] ? end : null)
            : throw new InvalidDataException($"{modelFolder} has no tokenizer; expected a {JsonTokenizer.FileName} or a SentencePiece {SentencePieceTokenizer.FileName} in it.");
    }
}
