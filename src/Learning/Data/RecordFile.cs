using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace FedChain.Learning.Data;

/// <summary>
/// JSON lines, also gzip-compressed: one object per line with the texts <c>prompt</c> and <c>response</c>, optionally <c>split</c>, <c>document</c> and <c>id</c>;
/// other fields are ignored. Where no record has a split, <see cref="SplitByHash"/> gives it one.
/// </summary>
public static class RecordFile
{
    private const string Form = """{"prompt": "…", "response": "…"} (and, if you like, "split": "train", "val" or "test", "document", "id")""";

    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false };

    /// <summary>True for <c>*.jsonl</c> and <c>*.jsonl.gz</c>.</summary>
    public static bool IsRecordFile(string path) =>
        path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".jsonl.gz", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads line by line, in the file's order.</summary>
    /// <exception cref="InvalidDataException">While reading: a line is not such a record, some records have a split and others none, or there are none at all.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static IEnumerable<DataRecord> Read(string path)
    {
        foreach (var line in Scan(path))
        {
            yield return line.Record ?? throw line.Problem!;
        }
    }

    /// <summary>Reads line by line and goes on after a line that is no record, to name them all. Damage of the file as a whole is the last line's problem.</summary>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static IEnumerable<RecordLine> Scan(string path)
    {
        using var file = File.OpenRead(path);
        using var plain = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        using var reader = new StreamReader(plain, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        (int Line, bool HasSplit)? first = null;
        var isEmpty = true;
        for (var line = 1; ; line++)
        {
            string? text;
            InvalidDataException? damage = null;
            try
            {
                text = ReadLine(reader, path, line);
            }
            catch (InvalidDataException e)
            {
                (text, damage) = (null, e);
            }

            if (damage is not null)
            {
                yield return new RecordLine(line, null, HasSplit: false, damage);
                yield break;
            }

            if (text is null)
            {
                break;
            }

            if (!string.IsNullOrWhiteSpace(text))
            {
                isEmpty = false;
                yield return ScanLine(text, path, line, ref first);
            }
        }

        if (isEmpty)
        {
            yield return new RecordLine(1, null, HasSplit: false, new InvalidDataException($"{path}: expected one record per line; the file is empty. A record is {Form}."));
        }
    }

    private static RecordLine ScanLine(string text, string path, int line, ref (int Line, bool HasSplit)? first)
    {
        try
        {
            var (record, hasSplit) = Parse(text, path, line);
            first ??= (line, hasSplit);
            return hasSplit == first.Value.HasSplit
                ? new RecordLine(line, record, hasSplit, null)
                : throw Error(path, line, hasSplit
                    ? $"this record has a \"split\", the one on line {first.Value.Line} has none; give all records one, or none"
                    : $"this record has no \"split\", the one on line {first.Value.Line} has one; give all records one, or none");
        }
        catch (InvalidDataException e)
        {
            return new RecordLine(line, null, HasSplit: false, e);
        }
    }

    private static string? ReadLine(StreamReader reader, string path, int line)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (DecoderFallbackException e)
        {
            throw Error(path, line, "expected UTF-8; from about here on, the file is something else", e);
        }
        catch (InvalidDataException e)
        {
            throw Error(path, line, $"the gzip stream is damaged from here on ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static (DataRecord Record, bool HasSplit) Parse(string text, string path, int line)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Options);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw Error(path, line, $"expected a JSON object {Form}; got {Describe(root)}");
            }

            var prompt = Text(root, "prompt", path, line) ?? throw Error(path, line, $"the record has no \"prompt\"; expected {Form}");
            var response = Text(root, "response", path, line) ?? throw Error(path, line, $"the record has no \"response\"; expected {Form}");
            if (string.IsNullOrWhiteSpace(response))
            {
                throw Error(path, line, "\"response\" is empty; there is nothing to learn from it, so remove the record");
            }

            var id = Identifier(root, "id", path, line);
            var origin = Identifier(root, "document", path, line);
            var split = Text(root, "split", path, line);
            return (new DataRecord(id ?? $"line {line}", origin, prompt, response, split switch
            {
                "train" => Split.Train,
                "val" or "validation" => Split.Val,
                "test" => Split.Test,
                null => SplitByHash.Of(origin ?? id ?? prompt),
                _ => throw Error(path, line, $"expected the \"split\" to be \"train\", \"val\" or \"test\"; got \"{split}\""),
            }), split is not null);
        }
        catch (JsonException e)
        {
            throw Error(path, line, $"expected a JSON object {Form}; this is no JSON from character {e.BytePositionInLine + 1} on", e);
        }
    }

    private static string? Text(JsonElement root, string name, string path, int line)
    {
        if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            throw Error(path, line, $"expected \"{name}\" to be a text; got {Describe(value)}");
        }

        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException e) // an escaped half of a surrogate pair
        {
            throw Error(path, line, $"\"{name}\" is no valid Unicode text", e);
        }
    }

    /// <summary>Names of records are also numbers in the wild.</summary>
    private static string? Identifier(JsonElement root, string name, string path, int line) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetRawText() : Text(root, name, path, line);

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };

    private static InvalidDataException Error(string path, int line, string what, Exception? inner = null) => new($"{path}, line {line}: {what}.", inner);
}

/// <summary>A line of a record file: a record, or why it is none.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Record">Null where there is a problem.</param>
/// <param name="HasSplit">Whether the file gives the record's split; else a hash does.</param>
/// <param name="Problem">Names file and line.</param>
public sealed record RecordLine(int Line, DataRecord? Record, bool HasSplit, InvalidDataException? Problem);
