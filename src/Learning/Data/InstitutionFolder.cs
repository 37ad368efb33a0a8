namespace FedChain.Learning.Data;

/// <summary>A folder in which every <c>*.jsonl</c> or <c>*.jsonl.gz</c> file is an institution.</summary>
public static class InstitutionFolder
{
    /// <summary>The files of the institutions, sorted by institution name.</summary>
    /// <exception cref="InvalidDataException">The folder has none, or two of one name.</exception>
    /// <exception cref="IOException">The folder can't be read.</exception>
    public static IReadOnlyList<string> Files(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new InvalidDataException($"The folder {folder} doesn't exist; expected one with a file of records for each institution.");
        }

        var files = Directory.EnumerateFiles(folder).Where(RecordFile.IsRecordFile)
            .OrderBy(InstitutionData.NameOf, StringComparer.Ordinal).ThenBy(path => path, StringComparer.Ordinal).ToList();
        if (files.Count == 0)
        {
            throw new InvalidDataException($"{folder}: expected a *.jsonl or *.jsonl.gz file for each institution; the folder has none.");
        }

        for (var i = 1; i < files.Count; i++)
        {
            if (InstitutionData.NameOf(files[i]) == InstitutionData.NameOf(files[i - 1]))
            {
                throw new InvalidDataException($"{folder}: {Path.GetFileName(files[i - 1])} and {Path.GetFileName(files[i])} name the same institution; remove one.");
            }
        }

        return files;
    }

    /// <summary>Loads them all, sorted by name; fails as a whole if one of them is bad.</summary>
    /// <exception cref="InvalidDataException">The folder has no such file, or a file has no usable data; the message names file and line.</exception>
    /// <exception cref="IOException">A file can't be read.</exception>
    public static IReadOnlyList<InstitutionData> Load(string folder) => [.. Files(folder).Select(InstitutionData.Load)];
}
