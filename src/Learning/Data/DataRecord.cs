namespace FedChain.Learning.Data;

/// <summary>One question and its answer.</summary>
/// <param name="Id">The file's <c>id</c>, or <c>line N</c> where it gives none.</param>
/// <param name="Document">What the record was taken from; records of one document are in one split. Null where the file doesn't say.</param>
/// <param name="Prompt">What the model is given; may be empty.</param>
/// <param name="Response">What it learns to write; never empty.</param>
/// <param name="Split">Whether it is trained, validated or tested on.</param>
public sealed record DataRecord(string Id, string? Document, string Prompt, string Response, Split Split);
