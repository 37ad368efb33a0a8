using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using FedChain.Protocol.Envelope;

namespace FedChain.Bench;

/// <summary>
/// Sealing and opening 256 MiB: from memory to nowhere beside ChaCha20-Poly1305 alone on the same chunks (the limit), and from file to file
/// beside the age program (the peer). Files lie in memory where the machine allows it, so that no disk is measured.
/// </summary>
internal static class EnvelopeBenchmark
{
    private const int Size = 256 << 20;
    private const double Gigabytes = Size / 1e9;
    private const int Rounds = 7;
    private const int ManyRecipients = 100;

    public static void Run()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"fedchain-bench-{Environment.ProcessId}"));
        try
        {
            Run(folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Run(string folder)
    {
        var plaintext = new byte[Size];
        RandomNumberGenerator.Fill(plaintext);
        using var identity = AgeIdentity.Generate();
        AgeRecipient[] one = [identity.Recipient];
        AgeRecipient[] many = [.. Enumerable.Range(1, ManyRecipients - 1).Select(_ => AgeIdentity.Generate().Recipient), identity.Recipient];
        var (plain, aged, opened, key) = (Path.Combine(folder, "plain"), Path.Combine(folder, "sealed.age"), Path.Combine(folder, "opened"), Path.Combine(folder, "key.txt"));
        File.WriteAllBytes(plain, plaintext);
        File.WriteAllText(key, identity.ExportSecretKey() + "\n");
        var agePresent = IsAgePresent();

        var sealing = new Contest("Sealing 256 MiB in memory, one core", "GB/s", Rounds)
            .Add("ChaCha20-Poly1305 alone", Gigabytes, () => SealRaw(plaintext))
            .Add("AgeWriter, 1 recipient", Gigabytes, () => Seal(new MemoryStream(plaintext), Stream.Null, one))
            .Add($"AgeWriter, {ManyRecipients} recipients", Gigabytes, () => Seal(new MemoryStream(plaintext), Stream.Null, many));
        sealing.Print();

        var sealedBytes = new MemoryStream(checked((int)AgeFormat.SealedSize(Size, many)));
        Seal(new MemoryStream(plaintext), sealedBytes, many);
        var (raw, tags, nonceless) = (new byte[Size], new byte[Size / AgeFormat.ChunkSize * 16], new byte[32]);
        SealRaw(plaintext, raw, tags, nonceless);
        new Contest("Opening 256 MiB in memory, one core", "GB/s", Rounds)
            .Add("ChaCha20-Poly1305 alone", Gigabytes, () => OpenRaw(raw, tags, nonceless))
            .Add($"AgeReader, the last of {ManyRecipients} recipients", Gigabytes, () => Open(new MemoryStream(sealedBytes.GetBuffer(), 0, (int)sealedBytes.Length), Stream.Null, identity))
            .Print();

        var files = new Contest("Sealing 256 MiB from file to file", "GB/s", Rounds);
        var unfiles = new Contest("Opening 256 MiB from file to file", "GB/s", Rounds);
        if (agePresent)
        {
            files.Add("the age program", Gigabytes, () => Age("--recipient", one[0].ToString(), "--output", aged, plain));
            unfiles.Add("the age program", Gigabytes, () => Age("--decrypt", "--identity", key, "--output", opened, aged));
        }
        else
        {
            Console.WriteLine("The age program is not on the PATH (apt-get install age), so there is no peer below.");
        }

        files.Add("AgeWriter", Gigabytes, () => Between(plain, aged, (from, to) => Seal(from, to, one)));
        unfiles.Add("AgeReader", Gigabytes, () => Between(aged, opened, (from, to) => Open(from, to, identity)));
        files.Print();
        unfiles.Print();
    }

    private static void Seal(Stream from, Stream to, AgeRecipient[] recipients)
    {
        using var writer = new AgeWriter(to, recipients, leaveOpen: true);
        from.CopyTo(writer, 1 << 20);
        writer.Complete();
    }

    private static void Open(Stream from, Stream to, AgeIdentity identity)
    {
        using var reader = AgeReader.Open(from, [identity]);
        reader.CopyTo(to, AgeFormat.ChunkSize);
    }

    private static void Between(string source, string destination, Action<Stream, Stream> action)
    {
        using var from = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        using var to = new FileStream(destination, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        action(from, to);
    }

    private static void SealRaw(byte[] plaintext)
    {
        var (ciphertext, tag) = (new byte[AgeFormat.ChunkSize], new byte[16]);
        using var cipher = new ChaCha20Poly1305(new byte[32]);
        for (var at = 0; at < plaintext.Length; at += ciphertext.Length)
        {
            cipher.Encrypt(new byte[12], plaintext.AsSpan(at, ciphertext.Length), ciphertext, tag);
        }
    }

    private static void SealRaw(byte[] plaintext, byte[] ciphertext, byte[] tags, byte[] key)
    {
        using var cipher = new ChaCha20Poly1305(key);
        for (var at = 0; at < plaintext.Length; at += AgeFormat.ChunkSize)
        {
            cipher.Encrypt(
                new byte[12], plaintext.AsSpan(at, AgeFormat.ChunkSize), ciphertext.AsSpan(at, AgeFormat.ChunkSize), tags.AsSpan(at / AgeFormat.ChunkSize * 16, 16));
        }
    }

    private static void OpenRaw(byte[] ciphertext, byte[] tags, byte[] key)
    {
        var plaintext = new byte[AgeFormat.ChunkSize];
        using var cipher = new ChaCha20Poly1305(key);
        for (var at = 0; at < ciphertext.Length; at += AgeFormat.ChunkSize)
        {
            cipher.Decrypt(new byte[12], ciphertext.AsSpan(at, AgeFormat.ChunkSize), tags.AsSpan(at / AgeFormat.ChunkSize * 16, 16), plaintext);
        }
    }

    private static bool IsAgePresent()
    {
        try
        {
            Age("--version");
            return true;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static void Age(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("age", arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"age {string.Join(' ', arguments)} ended with exit code {process.ExitCode}.");
        }
    }
}
