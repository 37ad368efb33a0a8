using System.IO.Compression;
using System.Text;
using FedChain.Learning.Data;

namespace FedChain.Tests.Learning.Data;

public sealed class RecordFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-data-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Plain_and_compressed_files_give_the_same_records()
    {
        const string Lines = """
            {"id": "q1", "document": "d1", "topic": "x", "prompt": "Why?", "response": "Because é.", "split": "train"}

            {"id": 7, "prompt": "", "response": "B", "split": "val"}
            {"prompt": "Where?", "response": "Here.", "split": "test", "label": null}
            """;
        DataRecord[] expected =
        [
            new("q1", "d1", "Why?", "Because é.", Split.Train), new("7", null, "", "B", Split.Val), new("line 4", null, "Where?", "Here.", Split.Test),
        ];
        Assert.Equal(expected, RecordFile.Read(Write("a.jsonl", Lines)));
        Assert.Equal(expected, RecordFile.Read(WriteGzip("b.jsonl.gz", Lines)));
        Assert.Equal(expected, RecordFile.Read(Write("c.jsonl", "\ufeff" + Lines.Replace("\n", "\r\n", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("""{"prompt": "p"}""", "no \"response\"")]
    [InlineData("""{"response": "r"}""", "no \"prompt\"")]
    [InlineData("""{"prompt": "p", "response": null}""", "no \"response\"")]
    [InlineData("""{"prompt": 5, "response": "r"}""", "got a number")]
    [InlineData("""{"prompt": ["p"], "response": "r"}""", "got a list")]
    [InlineData("""{"prompt": "p", "response": "  "}""", "is empty")]
    [InlineData("""{"prompt": "p", "response": "r", "split": "training"}""", "\"training\"")]
    [InlineData("""{"prompt": "p", "response": "r", "split": 1}""", "got a number")]
    [InlineData("""{"prompt": "p", "response": "\ud800"}""", "Unicode")]
    [InlineData("{\"prompt\": \"p\", \"response\": \"r", "no JSON")]
    [InlineData("""{"prompt": "p", "prompt": "q", "response": "r"}""", "no JSON")]
    [InlineData("[1, 2]", "got a list")]
    [InlineData("prompt,response", "no JSON")]
    public void A_malformed_line_is_named_with_its_number(string line, string what)
    {
        var path = Write("bad.jsonl", """{"prompt": "p", "response": "r"}""" + "\n" + line + "\n");
        var error = Assert.Throws<InvalidDataException>(() => RecordFile.Read(path).ToList());
        Assert.Contains($"{path}, line 2: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(what, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n \n")]
    public void An_empty_file_is_refused(string content)
    {
        var path = Write("empty.jsonl", content);
        Assert.Contains($"{path}: ", Assert.Throws<InvalidDataException>(() => RecordFile.Read(path).ToList()).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => RecordFile.Read(WriteGzip("empty.jsonl.gz", content)).ToList());
    }

    [Fact]
    public void Bytes_that_are_no_utf8_are_refused()
    {
        var path = Path.Combine(_folder, "latin1.jsonl");
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes("""{"prompt": "p", "response": "é"}"""));
        Assert.Contains("UTF-8", Assert.Throws<InvalidDataException>(() => RecordFile.Read(path).ToList()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_gzip_file_is_refused()
    {
        var path = WriteGzip("cut.jsonl.gz", string.Concat(Enumerable.Range(0, 5000).Select(i => $$"""{"prompt": "p{{i * 7919 % 5000}}", "response": "r"}""" + "\n")));
        var bytes = File.ReadAllBytes(path);
        bytes.AsSpan(bytes.Length / 2, 50).Fill(0xff);
        File.WriteAllBytes(path, bytes);
        Assert.Throws<InvalidDataException>(() => RecordFile.Read(path).ToList());
        File.WriteAllText(path, "this is no gzip");
        Assert.Throws<InvalidDataException>(() => RecordFile.Read(path).ToList());
    }

    [Fact]
    public void All_records_have_a_split_or_none_has()
    {
        var path = Write("mixed.jsonl", """
            {"prompt": "p", "response": "r", "split": "train"}
            {"prompt": "q", "response": "r"}
            """);
        var error = Assert.Throws<InvalidDataException>(() => RecordFile.Read(path).ToList());
        Assert.Contains("line 2", error.Message, StringComparison.Ordinal);
        Assert.Contains("line 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_split_a_hash_decides_and_documents_stay_together()
    {
        var lines = string.Join('\n', Enumerable.Range(0, 2000).Select(i => $$"""{"document": "d{{i / 4}}", "prompt": "p{{i}}", "response": "r"}"""));
        var records = RecordFile.Read(Write("free.jsonl", lines)).ToList();
        Assert.All(records.GroupBy(r => r.Document), document => Assert.Single(document.Select(r => r.Split).Distinct()));
        Assert.InRange(records.Count(r => r.Split == Split.Train), 1500, 1700);
        Assert.InRange(records.Count(r => r.Split == Split.Test), 140, 260);
        Assert.Equal(Split.Train, SplitByHash.Of("d0")); // fixed for ever: a change would train on what was tested on
        Assert.Equal(Split.Test, SplitByHash.Of("d2"));
        Assert.Equal(Split.Val, SplitByHash.Of("d12"));
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    private string WriteGzip(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        using var stream = new GZipStream(File.Create(path), CompressionLevel.Optimal);
        stream.Write(Encoding.UTF8.GetBytes(content));
        return path;
    }
}
