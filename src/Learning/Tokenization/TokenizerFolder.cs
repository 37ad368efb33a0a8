using FedChain.Learning.Models;

namespace FedChain.Learning.Tokenization;

/// <summary>The tokenizer in a Hugging Face model folder.</summary>
public static class TokenizerFolder
{
    /// <summary>
    /// <c>tokenizer.json</c> where there is one, as Hugging Face does, else <c>tokenizer.model</c> (SentencePiece): the first may have tokens that were
    /// added since it was converted from the second, such as a chat template's marks.
    /// </summary>
    /// <exception cref="InvalidDataException">There is none, or one of a kind that can't be reproduced; the message names what.</exception>
    public static ITokenizer Load(string modelFolder)
    {
        var file = Path.Combine(modelFolder, JsonTokenizer.FileName);
        if (File.Exists(file))
        {
            return JsonTokenizer.Load(file, File.Exists(Path.Combine(modelFolder, DecoderConfig.FileName)) && DecoderConfig.Read(modelFolder).EndTokens is [var end, ..] ? end : null);
        }

        return File.Exists(Path.Combine(modelFolder, SentencePieceTokenizer.FileName))
            ? SentencePieceTokenizer.LoadFrom(modelFolder)
            : throw new InvalidDataException($"{modelFolder} has no tokenizer; expected a {JsonTokenizer.FileName} or a SentencePiece {SentencePieceTokenizer.FileName} in it.");
    }
}
