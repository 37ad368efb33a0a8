using FedChain.Learning.Data;

namespace FedChain.Tests.Learning.Data;

public sealed class InstitutionFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-data-").FullName;

    public static TheoryData<string> SharedFiles() => [.. Shared.Data.Select(folder => Path.Combine(folder, "institutions")).Where(Directory.Exists)
        .SelectMany(InstitutionFolder.Files)];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_record_file_is_an_institution_and_they_are_sorted_by_name()
    {
        Write("renal.jsonl", Line("train"), Line("train"), Line("val"), Line("test"));
        Write("cardio.v2.jsonl", Line("train"), Line("val"), Line("test"));
        File.WriteAllText(Path.Combine(_folder, "README.md"), "not data");
        var institutions = InstitutionFolder.Load(_folder);
        Assert.Equal(["cardio.v2", "renal"], institutions.Select(i => i.Name));
        Assert.Equal((2, 1, 1), (institutions[1].Train.Count, institutions[1].Val.Count, institutions[1].Test.Count));
    }

    [Fact]
    public void A_folder_without_data_is_refused() =>
        Assert.Contains(_folder, Assert.Throws<InvalidDataException>(() => InstitutionFolder.Load(_folder)).Message, StringComparison.Ordinal);

    [Fact]
    public void Two_files_of_one_name_are_refused()
    {
        Write("a.jsonl", Line("train"));
        Write("a.jsonl.gz", Line("train"));
        Assert.Contains("a.jsonl.gz", Assert.Throws<InvalidDataException>(() => InstitutionFolder.Load(_folder)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("train", "val")]
    [InlineData("test", "val")]
    public void A_file_without_train_or_test_is_refused(string first, string second)
    {
        var path = Write("a.jsonl", Line(first), Line(second));
        Assert.Contains(path, Assert.Throws<InvalidDataException>(() => InstitutionFolder.Load(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_validation_records_a_tenth_of_the_training_documents_serves()
    {
        var lines = Enumerable.Range(0, 100).Select(i => $$"""{"document": "d{{i / 2}}", "prompt": "p", "response": "r{{i}}", "split": "train"}""");
        Write("a.jsonl", [.. lines, Line("test")]);
        var data = InstitutionFolder.Load(_folder)[0];
        Assert.Equal((90, 10), (data.Train.Count, data.Val.Count));
        Assert.Empty(data.Train.Select(r => r.Document).Intersect(data.Val.Select(r => r.Document)));
    }

    [Fact]
    public void A_single_document_cannot_be_trained_and_validated_on()
    {
        Write("a.jsonl", Line("train"), Line("test"));
        Assert.Contains("two documents", Assert.Throws<InvalidDataException>(() => InstitutionFolder.Load(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sample_is_chosen_by_id_and_keeps_the_order()
    {
        var records = Enumerable.Range(0, 50).Select(i => new DataRecord($"r{i}", null, "p", "r", Split.Test)).ToList();
        var sample = records.AtMost(10);
        Assert.Equal(10, sample.Count);
        Assert.Equal(sample.OrderBy(records.IndexOf), sample);
        Assert.Equal(sample.ToHashSet(), Enumerable.Reverse(records).ToList().AtMost(10).ToHashSet());
        Assert.Same(records, records.AtMost(50));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(SharedFiles))]
    public void Shared_institutions_are_read_whole(string path)
    {
        var data = InstitutionData.Load(path);
        Assert.NotEmpty(data.Val);
        Assert.True(data.Train.Count > data.Test.Count);
        var documents = new[] { data.Train, data.Val, data.Test }.Select(part => part.Select(r => r.Document).ToHashSet()).ToList();
        Assert.Empty(documents[0].Intersect(documents[1]));
        Assert.Empty(documents[0].Intersect(documents[2]));
        Assert.Empty(documents[1].Intersect(documents[2]));
    }

    private static string Line(string split) => $$"""{"prompt": "p", "response": "r", "split": "{{split}}"}""";

    private string Write(string name, params string[] lines)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllLines(path, lines);
        return path;
    }
}
