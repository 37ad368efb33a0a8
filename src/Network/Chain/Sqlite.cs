using System.Globalization;
using Microsoft.Data.Sqlite;

namespace FedChain.Network.Chain;

/// <summary>Short forms for SQLite: values are bound to $1, $2, … in order.</summary>
internal static class Sqlite
{
    /// <summary>Opens or makes a database. Not pooled: a pool would keep the file open after us.</summary>
    public static SqliteConnection Connect(string file)
    {
        var database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        try
        {
            database.Open();
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Removes a database that is closed, with what a crash may have left beside it.</summary>
    public static void Delete(string file)
    {
        foreach (var part in new[] { file, file + "-journal" })
        {
            File.Delete(part);
        }
    }

    /// <summary>Whether the file is whole and its tables are of this version.</summary>
    public static bool IsWhole(this SqliteConnection database, int version) =>
        Equals(database.Scalar("PRAGMA user_version"), (long)version) && Equals(database.Scalar("PRAGMA quick_check(1)"), "ok");

    /// <summary>Makes the tables of a new database, all or none.</summary>
    public static void Make(this SqliteConnection database, string tables, int version) =>
        database.Execute(string.Create(CultureInfo.InvariantCulture, $"BEGIN; {tables} PRAGMA user_version = {version}; COMMIT"));

    public static void Execute(this SqliteConnection database, string sql, params ReadOnlySpan<object> values)
    {
        using var command = Command(database, sql, values);
        command.ExecuteNonQuery();
    }

    public static object? Scalar(this SqliteConnection database, string sql, params ReadOnlySpan<object> values)
    {
        using var command = Command(database, sql, values);
        return command.ExecuteScalar();
    }

    public static List<T> Read<T>(this SqliteConnection database, string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object> values)
    {
        using var command = Command(database, sql, values);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    private static SqliteCommand Command(SqliteConnection database, string sql, ReadOnlySpan<object> values)
    {
        var command = database.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue(string.Create(CultureInfo.InvariantCulture, $"${i + 1}"), values[i]);
        }

        return command;
    }
}
