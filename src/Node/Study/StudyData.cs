using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedChain.Learning.Data;
using FedChain.Learning.Examples;
using FedChain.Learning.Models;
using FedChain.Learning.Tokenization;
using FedChain.Node.Models;
using FedChain.Protocol;

namespace FedChain.Node.Study;

/// <summary>Base model and institutions of a study, read once.</summary>
public sealed class StudyData
{
    internal StudyData(string model, Hash256 digest, IReadOnlyList<PreparedData> institutions) =>
        (Model, ModelDigest, Institutions, Digest) = (model, digest, institutions, DigestOf(institutions));

    /// <summary>The base model's folder.</summary>
    public string Model { get; }

    public Hash256 ModelDigest { get; }

    /// <summary>Sorted by name; at least two.</summary>
    public IReadOnlyList<PreparedData> Institutions { get; }

    /// <summary>SHA-256 of everything that is trained, validated and tested on, as the model sees it.</summary>
    public Hash256 Digest { get; }

    /// <exception cref="InvalidDataException">The folder or a file has no usable data; the message says which, and what was expected.</exception>
    /// <exception cref="UserErrorException">Fewer than two institutions.</exception>
    public static async Task<StudyData> LoadAsync(string folder, string model, StudyBudget budget, CancellationToken cancellationToken)
    {
        var digest = await BaseModel.Open(model).DigestAsync(cancellationToken);
        var tokenizer = TokenizerFolder.Load(model);
        var limit = DecoderConfig.Read(model).ContextLength;
        if (budget.Context > limit)
        {
            throw new UserErrorException($"The model's context is {limit} tokens; a study's can't be {budget.Context}. Ask for at most {limit}.");
        }

        var institutions = InstitutionFolder.Load(folder)
            .Select(data => PreparedData.From(data, tokenizer, budget.Context ?? limit, budget.ValidationRecords, budget.TestRecords)).ToList();
        return institutions.Count >= 2
            ? new StudyData(model, digest, institutions)
            : throw new UserErrorException($"A study compares institutions: expected two files or more in {folder}, found {institutions.Count}.");
    }

    private static Hash256 DigestOf(IReadOnlyList<PreparedData> institutions)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var institution in institutions)
        {
            sha.AppendData(System.Text.Encoding.UTF8.GetBytes(institution.Name + "\n"));
            foreach (var examples in new[] { institution.Train, institution.Val, institution.Test })
            {
                sha.AppendData(MemoryMarshal.AsBytes([examples.Count]));
                foreach (var example in examples)
                {
                    Append(sha, example);
                }
            }
        }

        return new Hash256(sha.GetHashAndReset());
    }

    private static void Append(IncrementalHash sha, TokenizedExample example) =>
        sha.AppendData(MemoryMarshal.AsBytes([example.Tokens.Length, example.PromptLength, .. example.Tokens]));
}
