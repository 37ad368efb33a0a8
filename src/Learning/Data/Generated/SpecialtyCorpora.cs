using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FedChain.Learning.Data.Generated;

/// <summary>
/// The project's own data for a federation: text generated from a grammar, about illnesses and drugs that don't exist, in eight specialties that
/// differ in words, questions, manner of writing, patients and size. Nothing in it is medical knowledge; every record says so.
/// </summary>
public static class SpecialtyCorpora
{
    public const string Note = "generated text about invented illnesses; not medical advice";

    private const int ConditionsPerInstitution = 8;

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One institution's name and its records; every tenth case is for validation, every tenth for the test.</summary>
    public sealed record Corpus(string Name, IReadOnlyList<DataRecord> Records);

    /// <summary>
    /// The corpora of <paramref name="institutions"/> institutions, of different specialties up to eight; from the ninth on, of a second hospital of
    /// the first specialty (<c>cardiology-2</c>) with conditions of its own, and so on. The same seed gives the same text.
    /// </summary>
    public static IReadOnlyList<Corpus> Generate(ulong seed, int institutions)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(institutions);
        return [.. Enumerable.Range(0, institutions).Select(index =>
        {
            var specialty = Specialties.All[index % Specialties.All.Count];
            var hospital = index / Specialties.All.Count;
            return Write(seed, specialty, hospital == 0 ? specialty.Name : $"{specialty.Name}-{hospital + 1}");
        })];
    }

    /// <summary>Writes a file for each institution and a README into a folder, which is created; the folder is then one of <see cref="InstitutionFolder"/>'s.</summary>
    /// <returns>The files, sorted by institution name.</returns>
    /// <exception cref="IOException">The folder can't be written, or has record files already.</exception>
    public static IReadOnlyList<string> WriteTo(string folder, ulong seed, int institutions)
    {
        Directory.CreateDirectory(folder);
        if (Directory.EnumerateFiles(folder).Any(RecordFile.IsRecordFile))
        {
            throw new IOException($"{folder} has record files already; give another folder, or empty this one.");
        }

        var corpora = Generate(seed, institutions);
        foreach (var corpus in corpora)
        {
            WriteRecords(Path.Combine(folder, corpus.Name + ".jsonl"), corpus.Records);
        }

        File.WriteAllText(Path.Combine(folder, "README.md"), $"""
            # Generated specialty corpora

            {Note}. Illnesses, drugs, tests and patients are made up by a grammar (src/Learning/Data/Generated, seed {seed}); any likeness to real ones is chance.

            | institution | records | train | val | test |
            | --- | --- | --- | --- | --- |
            {string.Join('\n', corpora.Select(c => $"| {c.Name} | {c.Records.Count} | {Count(c, Split.Train)} | {Count(c, Split.Val)} | {Count(c, Split.Test)} |"))}

            """);
        return InstitutionFolder.Files(folder);
    }

    internal static void WriteRecords(string path, IEnumerable<DataRecord> records)
    {
        using var writer = new StreamWriter(path, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
        foreach (var record in records)
        {
            writer.WriteLine(JsonSerializer.Serialize(
                new
                {
                    id = record.Id,
                    document = record.Document,
                    note = Note,
                    prompt = record.Prompt,
                    response = record.Response,
                    split = record.Split switch { Split.Train => "train", Split.Val => "val", _ => "test" },
                },
                Json));
        }
    }

    private static Corpus Write(ulong seed, Specialty specialty, string name)
    {
        var conditions = specialty.Words.Invent(TextRandom.For(seed, $"{name}/conditions"), ConditionsPerInstitution);
        var random = TextRandom.For(seed, $"{name}/cases");
        var records = new List<DataRecord>();
        var asked = new HashSet<string>();
        for (var i = 0; i < specialty.Documents;)
        {
            var patient = Case.Draw(random, conditions, specialty.Youngest, specialty.Oldest);
            var written = specialty.Questions.Select(question => question(patient, conditions, random)).ToList();
            if (written.Any(record => asked.Contains(record.Prompt)))
            {
                continue; // the test asks nothing that was trained on word by word, so this case is drawn again
            }

            var split = (i % 10) switch { 8 => Split.Val, 9 => Split.Test, _ => Split.Train };
            asked.UnionWith(written.Select(record => record.Prompt));
            records.AddRange(written.Select((record, question) => new DataRecord($"{name}/{i}#{question}", $"{name}/{i}", record.Prompt, record.Response, split)));
            i++;
        }

        return new Corpus(name, records);
    }

    private static int Count(Corpus corpus, Split split) => corpus.Records.Count(record => record.Split == split);
}
