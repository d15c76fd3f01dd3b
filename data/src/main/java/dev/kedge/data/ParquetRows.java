package dev.kedge.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.kedge.data.DataException.Place;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;

/// The rows of a Parquet file, each as the JSON object that DuckDB makes of it: lists and structs become arrays and
/// objects.
final class ParquetRows {
    private ParquetRows() {}

    static void rows(Path path, int maxRecordBytes, Rows rows) {
        JsonMapper mapper = JsonRows.mapper(maxRecordBytes);
        Properties settings = new Properties();
        // Nothing is fetched and rows stream in the file's order, whatever its size.
        settings.setProperty("autoinstall_known_extensions", "false");
        settings.setProperty("jdbc_stream_results", "true");
        long number = 0;
        try (Connection duckdb = DriverManager.getConnection("jdbc:duckdb:", settings);
                PreparedStatement query = duckdb.prepareStatement(
                        "SELECT CAST(to_json(r) AS VARCHAR) FROM read_parquet(?, hive_partitioning = false) AS r")) {
            query.setString(1, literal(path));
            try (ResultSet result = query.executeQuery()) {
                while (result.next()) {
                    Place place = new Place(path, "row", ++number);
                    String json = result.getString(1);
                    if (json.length() > maxRecordBytes) {
                        rows.wrong(new DataException(
                                place, "expected at most " + maxRecordBytes + " characters, found " + json.length()));
                    } else {
                        rows.row(place, parse(mapper, json, place));
                    }
                }
            }
        } catch (SQLException e) {
            String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new DataException(new Place(path, "row", number), "not readable as Parquet: " + message);
        }
    }

    private static JsonNode parse(JsonMapper mapper, String json, Place place) {
        try {
            return mapper.readTree(json);
        } catch (JsonProcessingException e) {
            throw new DataException(place, "the row has no JSON form: " + e.getOriginalMessage());
        }
    }

    /// The path with what DuckDB would take for wildcards written as character classes that match only themselves.
    private static String literal(Path path) {
        return path.toAbsolutePath().toString().replaceAll("[\\[*?]", "[$0]");
    }
}
