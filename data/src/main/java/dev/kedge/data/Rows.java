package dev.kedge.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.data.DataException.Place;

/// Takes the records of a file one by one, so that only one is held at a time.
interface Rows {
    void row(Place place, JsonNode record);

    /// A record that is not even JSON or text; the records after it can still be read.
    void wrong(DataException problem);
}
