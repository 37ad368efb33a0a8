using FedChain.Learning.Data;
using FedChain.Learning.Data.Generated;
using FedChain.Learning.Models;
using FedChain.Learning.Tokenization;
using FedChain.Node.Models;

namespace FedChain.Node.Demo;

/// <summary>The institutions' records: a folder of the user's, or generated text.</summary>
internal static class DemoData
{
    private const int MaxTestRecords = 32;

    /// <exception cref="UserErrorException">The folder has fewer files than institutions are asked for.</exception>
    public static IReadOnlyList<string> Files(DemoOptions options, DemoHome home, Action<string> say)
    {
        if (options.Data is { } folder)
        {
            var files = InstitutionFolder.Files(folder);
            var wanted = options.Members ?? Math.Min(files.Count, DemoOptions.MostMembers);
            return wanted <= files.Count && wanted >= 2 ? [.. files.Take(wanted)]
                : throw new UserErrorException($"A federation of {Math.Max(wanted, 2)} institutions needs as many files, but {folder} has {files.Count}. Add *.jsonl files, or ask for fewer --members (2 at least).");
        }

        var written = SpecialtyCorpora.WriteTo(home.Data, options.Seed, options.Members ?? DemoDefaults.Members);
        say($"no --data given: {written.Count} specialties of {SpecialtyCorpora.Note}");
        return written;
    }

    public static IReadOnlyList<PreparedData> Prepare(IReadOnlyList<string> files, BaseModel model, Action<string> say)
    {
        var tokenizer = TokenizerFolder.Load(model.Path);
        var context = DecoderConfig.Read(model.Path).ContextLength;
        var prepared = files.Select(f => PreparedData.From(InstitutionData.Load(f), tokenizer, context, DemoDefaults.Training.MaxValidationRecords, MaxTestRecords)).ToList();
        var cut = prepared.Sum(p => p.CutRecords);
        say($"{prepared.Count} institutions, {prepared.Sum(p => p.Train.Count):N0} training records; {cut:N0} records are longer than the context of {context} tokens and were cut");
        return prepared;
    }
}
