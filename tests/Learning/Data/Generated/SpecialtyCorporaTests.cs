using System.Text.Json;
using FedChain.Learning.Data;
using FedChain.Learning.Data.Generated;

namespace FedChain.Tests.Learning.Data.Generated;

public sealed class SpecialtyCorporaTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-corpora-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_same_seed_gives_the_same_text_and_another_one_another()
    {
        Assert.Equal(Texts(5, 9), Texts(5, 9));
        Assert.Empty(Texts(5, 8).Intersect(Texts(6, 8)));
        Assert.Equal(Texts(5, 2), Texts(5, 9).Take(Texts(5, 2).Count)); // more members change nothing for the first ones
    }

    [Fact]
    public void Nothing_in_the_test_was_trained_on() =>
        Assert.All(SpecialtyCorpora.Generate(1, 9), corpus =>
        {
            var bySplit = corpus.Records.ToLookup(record => record.Split);
            var trained = bySplit[Split.Train].Select(record => record.Prompt).ToHashSet();
            Assert.DoesNotContain(bySplit[Split.Test].Concat(bySplit[Split.Val]), record => trained.Contains(record.Prompt));
            Assert.All(corpus.Records.GroupBy(r => r.Document), document => Assert.Single(document.Select(r => r.Split).Distinct()));
        });

    [Fact]
    public void Specialties_differ_in_words_and_size_and_share_one_sentence()
    {
        var corpora = SpecialtyCorpora.Generate(1, 8);
        var words = corpora.Select(corpus => corpus.Records.SelectMany(r => (r.Prompt + ' ' + r.Response).Split(' ', '.', ',', ';', ':')).ToHashSet()).ToList();
        for (var i = 0; i < words.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var shared = (double)words[i].Intersect(words[j]).Count() / words[i].Union(words[j]).Count();
                Assert.True(shared < 0.5, $"{corpora[i].Name} and {corpora[j].Name} share {shared:P0} of their words");
            }
        }

        Assert.Equal(8, corpora.Select(corpus => corpus.Records.Count).Distinct().Count());
        Assert.All(corpora, corpus => Assert.Contains(corpus.Records, record => record.Response.Contains("Review in 6 weeks.", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_base_models_text_knows_nothing_of_the_specialties()
    {
        var general = string.Join('\n', GeneralCorpus.Generate(1, 3000).Select(record => record.Prompt + '\n' + record.Response));
        Assert.DoesNotContain("Review", general, StringComparison.Ordinal);
        Assert.All(Specialties.All.SelectMany(s => s.Words.Stems.SelectMany(stem => s.Words.Endings.Select(ending => $" {stem}{ending} "))),
            name => Assert.DoesNotContain(name, general, StringComparison.Ordinal));
    }

    [Fact]
    public void A_written_folder_is_one_of_institutions_and_every_record_says_that_it_is_generated()
    {
        var files = SpecialtyCorpora.WriteTo(Path.Combine(_folder, "data"), 1, 9);
        Assert.Equal(9, files.Count);
        Assert.Contains("cardiology-2.jsonl", files.Select(Path.GetFileName));
        var generated = SpecialtyCorpora.Generate(1, 9).ToDictionary(corpus => corpus.Name);
        foreach (var file in files)
        {
            var data = InstitutionData.Load(file);
            Assert.Equal(generated[data.Name].Records.Where(r => r.Split == Split.Train), data.Train);
            Assert.Equal(generated[data.Name].Records.Where(r => r.Split == Split.Test), data.Test);
            Assert.All(File.ReadLines(file), line =>
            {
                using var record = JsonDocument.Parse(line);
                Assert.StartsWith("generated", record.RootElement.GetProperty("note").GetString(), StringComparison.Ordinal);
            });
        }
    }

    [Fact]
    public void A_folder_with_records_is_not_written_over()
    {
        File.WriteAllText(Path.Combine(_folder, "mine.jsonl"), "{}");
        Assert.Throws<IOException>(() => SpecialtyCorpora.WriteTo(_folder, 1, 2));
        Assert.Equal(["mine.jsonl"], Directory.EnumerateFiles(_folder).Select(Path.GetFileName));
    }

    private static List<string> Texts(ulong seed, int institutions) =>
        [.. SpecialtyCorpora.Generate(seed, institutions).SelectMany(corpus => corpus.Records.Where(r => r.Id.EndsWith("#0", StringComparison.Ordinal)).Select(r => $"{r.Id} {r.Prompt} {r.Response}"))];
}
