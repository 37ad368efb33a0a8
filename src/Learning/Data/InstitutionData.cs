namespace FedChain.Learning.Data;

/// <summary>All records of one institution; none of the three parts is empty.</summary>
public sealed record InstitutionData(string Name, IReadOnlyList<DataRecord> Train, IReadOnlyList<DataRecord> Val, IReadOnlyList<DataRecord> Test)
{
    /// <summary>Reads a whole file; the institution is named after it.</summary>
    /// <exception cref="InvalidDataException">A line is malformed, the file is empty, or there is too little to train, to validate or to test on.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static InstitutionData Load(string path)
    {
        var bySplit = RecordFile.Read(path).ToLookup(record => record.Split);
        List<DataRecord> train = [.. bySplit[Split.Train]], val = [.. bySplit[Split.Val]], test = [.. bySplit[Split.Test]];
        if (train.Count == 0 || test.Count == 0)
        {
            throw new InvalidDataException(
                $"{path}: expected records to train on and records to test on; got {train.Count} train, {val.Count} val and {test.Count} test. "
                + "Mark them with \"split\", or add documents: without a \"split\", a hash puts about every tenth document into test.");
        }

        if (val.Count == 0)
        {
            (train, val) = LendValidation(train);
        }

        if (train.Count == 0)
        {
            throw new InvalidDataException($"{path}: expected at least two documents to train on, one of which serves for validation; got one. Add records.");
        }

        return new InstitutionData(NameOf(path), train, val, test);
    }

    /// <summary>The file's name without <c>.jsonl</c> or <c>.jsonl.gz</c>.</summary>
    public static string NameOf(string path)
    {
        var name = Path.GetFileName(path);
        var dot = name.LastIndexOf(".jsonl", StringComparison.OrdinalIgnoreCase);
        return dot > 0 ? name[..dot] : name;
    }

    /// <summary>Where the file has no validation records, a tenth of the training documents (at least one) is used as such.</summary>
    private static (List<DataRecord> Train, List<DataRecord> Val) LendValidation(List<DataRecord> train)
    {
        var documents = train.Select(Document).Distinct().OrderBy(key => SplitByHash.Order("validation", key)).ToList();
        var lent = documents.Take(Math.Max(1, documents.Count / 10)).ToHashSet();
        return ([.. train.Where(r => !lent.Contains(Document(r)))], [.. train.Where(r => lent.Contains(Document(r)))]);
    }

    private static string Document(DataRecord record) => record.Document ?? record.Id;
}
