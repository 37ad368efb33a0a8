using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FedChain.Protocol.Ethereum.Keys;

/// <summary>
/// Key files of Web3 Secret Storage version 3, as geth and wallets read and write them: dk = scrypt or PBKDF2(passphrase), AES-128-CTR under dk[0..16],
/// mac = keccak256(dk[16..32] | ciphertext). Passphrases are taken as UTF-8, not normalised (as geth does).
/// </summary>
public static class Keystore
{
    private const int MaxIterations = 50_000_000;
    private const int MaxFileLength = 1 << 16;
    private const int KeyLength = 32;

    /// <summary>Writes a key file's JSON, with a fresh salt, nonce and id.</summary>
    public static string Encrypt(PrivateKey key, string passphrase, KeystoreOptions? options = null)
    {
        options ??= new KeystoreOptions();
        var salt = RandomNumberGenerator.GetBytes(32);
        var iv = RandomNumberGenerator.GetBytes(16);
        var derived = Scrypt.DeriveKey(Encoding.UTF8.GetBytes(passphrase), salt, options.N, options.R, options.P, KeyLength);
        var text = new byte[PrivateKey.Size];
        key.CopyTo(text);
        Crypt(derived.AsSpan(0, 16), iv, text);
        var mac = Mac(derived, text);
        CryptographicOperations.ZeroMemory(derived);
        return JsonSerializer.Serialize(new
        {
            address = key.Address.ToString()[2..],
            crypto = new
            {
                cipher = "aes-128-ctr",
                cipherparams = new { iv = Convert.ToHexStringLower(iv) },
                ciphertext = Convert.ToHexStringLower(text),
                kdf = "scrypt",
                kdfparams = new { dklen = KeyLength, n = options.N, p = options.P, r = options.R, salt = Convert.ToHexStringLower(salt) },
                mac = mac.ToString()[2..],
            },
            id = Guid.NewGuid().ToString(),
            version = 3,
        });
    }

    /// <summary>The address that a key file names, which can be read without its passphrase; null if it names none.</summary>
    /// <exception cref="FormatException">Not a key file.</exception>
    public static Address? AddressOf(string json)
    {
        using var document = Parse(json);
        return document.RootElement.TryGetProperty("address", out var address) && address.ValueKind == JsonValueKind.String
            && Address.TryParse("0x" + Unprefixed(address.GetString()!), out var read) ? read : null;
    }

    /// <summary>Opens a key file. The address is compared with the key where the file has one.</summary>
    /// <exception cref="FormatException">Not a key file of version 3, or one with a cipher, a derivation or parameters that are not supported.</exception>
    /// <exception cref="WrongPassphraseException">The passphrase is wrong, or the file was altered.</exception>
    public static PrivateKey Decrypt(string json, string passphrase) => Decrypt(json, Encoding.UTF8.GetBytes(passphrase));

    /// <inheritdoc cref="Decrypt(string, string)"/>
    public static PrivateKey Decrypt(string json, ReadOnlySpan<byte> passphrase)
    {
        using var document = Parse(json);
        var root = document.RootElement;
        var crypto = Object(root, "crypto", "Crypto");
        if (Integer(root, "version") != 3)
        {
            throw new FormatException($"Expected a key file of version 3; got version {Integer(root, "version")}.");
        }

        if (Text(crypto, "cipher") is var cipher && cipher != "aes-128-ctr")
        {
            throw new FormatException($"The key file's cipher is '{cipher}'; supported is aes-128-ctr.");
        }

        var iv = Bytes(Object(crypto, "cipherparams"), "iv");
        var text = Bytes(crypto, "ciphertext");
        var mac = Bytes(crypto, "mac");
        if (iv.Length != 16 || mac.Length != Hash256.Size)
        {
            throw new FormatException($"A key file's iv has 16 bytes and its mac 32; got {iv.Length} and {mac.Length}.");
        }

        var derived = DeriveKey(crypto, passphrase);
        try
        {
            if (!CryptographicOperations.FixedTimeEquals(Mac(derived, text).ToArray(), mac))
            {
                throw new WrongPassphraseException();
            }

            Crypt(derived.AsSpan(0, 16), iv, text);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
        }

        return ReadKey(text, root);
    }

    private static PrivateKey ReadKey(byte[] secret, JsonElement root)
    {
        PrivateKey key;
        try
        {
            key = new PrivateKey(secret);
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"The key file does not hold a private key: {e.Message}", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }

        if (root.TryGetProperty("address", out var address) && address.ValueKind == JsonValueKind.String
            && (!Address.TryParse("0x" + Unprefixed(address.GetString()!), out var expected) || expected != key.Address))
        {
            throw new FormatException($"The key file says address {address.GetString()}, but its key belongs to {key.Address}.");
        }

        return key;
    }

    private static byte[] DeriveKey(JsonElement crypto, ReadOnlySpan<byte> passphrase)
    {
        var parameters = Object(crypto, "kdfparams");
        var salt = Bytes(parameters, "salt");
        var length = Integer(parameters, "dklen");
        if (length is < KeyLength or > 1024)
        {
            throw new FormatException($"A key file derives 32 bytes or a few more; this one {length}.");
        }

        switch (Text(crypto, "kdf"))
        {
            case "scrypt":
                var (n, r, p) = (Integer(parameters, "n"), Integer(parameters, "r"), Integer(parameters, "p"));
                return Scrypt.IsBounded(n, r, p)
                    ? Scrypt.DeriveKey(passphrase, salt, (int)n, (int)r, (int)p, (int)length)
                    : throw new FormatException($"The key file's scrypt parameters n = {n}, r = {r}, p = {p} are invalid or beyond 1 GiB of memory.");
            case "pbkdf2":
                var iterations = Integer(parameters, "c");
                if (Text(parameters, "prf") != "hmac-sha256" || iterations is < 1 or > MaxIterations)
                {
                    throw new FormatException($"The key file's pbkdf2 must use hmac-sha256 and 1 to {MaxIterations} iterations.");
                }

                return Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, (int)iterations, HashAlgorithmName.SHA256, (int)length);
            case var kdf:
                throw new FormatException($"The key file's key derivation is '{kdf}'; supported are scrypt and pbkdf2.");
        }
    }

    private static Hash256 Mac(ReadOnlySpan<byte> derived, ReadOnlySpan<byte> ciphertext) => Keccak256.Hash([.. derived[16..32], .. ciphertext]);

    /// <summary>AES in counter mode, the counter being the whole block, big-endian, wrapping; encrypts and decrypts in place.</summary>
    private static void Crypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, Span<byte> text)
    {
        using var aes = Aes.Create();
        aes.SetKey(key);
        var counter = BinaryPrimitives.ReadUInt128BigEndian(iv);
        Span<byte> block = stackalloc byte[16];
        for (var i = 0; i < text.Length; i += 16)
        {
            BinaryPrimitives.WriteUInt128BigEndian(block, unchecked(counter + (uint)(i / 16)));
            aes.EncryptEcb(block, block, PaddingMode.None);
            for (var j = 0; j < Math.Min(16, text.Length - i); j++)
            {
                text[i + j] ^= block[j];
            }
        }
    }

    private static JsonDocument Parse(string json)
    {
        if (json.Length > MaxFileLength)
        {
            throw new FormatException($"A key file has at most {MaxFileLength} characters; got {json.Length}.");
        }

        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            throw new FormatException($"Expected a key file in JSON: {e.Message}", e);
        }

        if (document.RootElement.ValueKind is var kind && kind != JsonValueKind.Object)
        {
            document.Dispose();
            throw new FormatException($"A key file is a JSON object; this is of kind {kind}.");
        }

        return document;
    }

    private static JsonElement Object(JsonElement json, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object)
            {
                return value;
            }
        }

        throw new FormatException($"The key file lacks the object '{names[0]}'.");
    }

    private static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new FormatException($"The key file lacks the text '{name}'.");

    private static long Integer(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var integer)
            ? integer
            : throw new FormatException($"The key file lacks the integer '{name}'.");

    private static byte[] Bytes(JsonElement json, string name) => Hex.Decode("0x" + Unprefixed(Text(json, name)));

    private static string Unprefixed(string text) => text.StartsWith("0x", StringComparison.Ordinal) ? text[2..] : text;
}
