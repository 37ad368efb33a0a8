using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FedChain.Protocol.Files;

namespace FedChain.Node.Study;

/// <summary>One training of one method.</summary>
/// <param name="Method">What is tried.</param>
/// <param name="Seed">Fixes the first adapter and the order of the records.</param>
public sealed record StudyRun(StudyMethod Method, ulong Seed)
{
    /// <summary>Institutions that take no part in the training and are only tested on.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>What dishonest members do; nothing if null.</summary>
    public Attack? Attack { get; init; }

    /// <summary>Changes with the code that results depend on.</summary>
    private const int Version = 3;

    /// <summary>For people: method, seed, and what is special.</summary>
    public override string ToString() =>
        $"{Method.Name}, seed {Seed}{(LeftOut.Count == 0 ? "" : $", without {string.Join(", ", LeftOut)}")}{(Attack is null ? "" : $", {Attack}")}";

    /// <summary>Names everything that the result depends on: equal fingerprints, equal results.</summary>
    /// <param name="data">What is trained and tested on.</param>
    /// <param name="adapter">The study's adapter.</param>
    /// <param name="budget">Steps, rounds and records.</param>
    /// <param name="held">Device and weight type; null for float32 on a CPU, whose results were kept before this was told apart.</param>
    public string Fingerprint(StudyData data, AdapterConfig adapter, StudyBudget budget, string? held) => Convert.ToHexStringLower(SHA256.HashData([.. JsonSerializer.SerializeToUtf8Bytes(new
    {
        model = data.ModelDigest.ToString(),
        data = data.Digest.ToString(),
        adapter = adapter.Digest.ToString(),
        budget,
        method = Describe(Method),
        Seed,
        LeftOut,
        Version,
        attack = Attack?.ToString(),
    }), .. Encoding.UTF8.GetBytes(held ?? "")]))[..16];

    private static string Describe(StudyMethod method) =>
        (method is StudyMethod.Federated f ? $"{f with { Schedule = [] }} {string.Join('-', f.Schedule)}" : method.ToString()) + (method.Rank is { } rank ? $" rank {rank}" : "");
}
