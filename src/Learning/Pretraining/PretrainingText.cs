using FedChain.Learning.Data;
using FedChain.Learning.Data.Generated;

namespace FedChain.Learning.Pretraining;

/// <summary>What a base model is made from.</summary>
/// <param name="Description">One sentence for the model's README.</param>
/// <param name="Arguments">The command's arguments that give this text again.</param>
/// <param name="Train">Records to learn from.</param>
/// <param name="Val">Records to measure on.</param>
public sealed record PretrainingText(string Description, string Arguments, IReadOnlyList<DataRecord> Train, IReadOnlyList<DataRecord> Val)
{
    /// <summary>Records of the generated text that models/base is made from.</summary>
    public const int DefaultRecords = 24_000;

    /// <summary>The project's own text (<see cref="GeneralCorpus"/>).</summary>
    public static PretrainingText Generated(ulong seed, int records = DefaultRecords) => From(
        $"{records} records of general practice, generated from a grammar (seed {seed}): {SpecialtyCorpora.Note}.",
        $"--text-seed {seed} --records {records}",
        GeneralCorpus.Generate(seed, records));

    /// <summary>All record files of a folder; test records are left out.</summary>
    /// <exception cref="InvalidDataException">The folder has no record files, or a file is bad; the message names file and line.</exception>
    /// <exception cref="IOException">A file can't be read.</exception>
    public static PretrainingText FromFolder(string folder)
    {
        var files = InstitutionFolder.Files(folder);
        return From(
            $"The train records of {string.Join(", ", files.Select(Path.GetFileName))}, for whose licence see their source.",
            $"--data {folder}",
            [.. files.SelectMany(RecordFile.Read)]);
    }

    private static PretrainingText From(string description, string arguments, IReadOnlyList<DataRecord> records)
    {
        var bySplit = records.ToLookup(record => record.Split);
        return new PretrainingText(description, arguments, [.. bySplit[Split.Train]], [.. bySplit[Split.Val]]);
    }
}
