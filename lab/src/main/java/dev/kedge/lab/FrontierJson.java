package dev.kedge.lab;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.lab.Frontier.Point;
import java.util.List;

/// A [Frontier] as JSON, in the form of a run's `summary.json`.
public final class FrontierJson {
    private FrontierJson() {}

    public static ObjectNode write(Frontier frontier) {
        var json = JsonNodeFactory.instance.objectNode();
        json.put("title", frontier.title());
        json.put("x", frontier.x());
        json.put("y", frontier.y());
        var arms = json.putArray("arms");
        for (var arm : frontier.arms()) {
            points(arms.addObject().put("name", arm.name()).putArray("points"), arm.points());
        }
        points(json.putArray("optimum"), frontier.optimum());
        return json;
    }

    private static void points(ArrayNode json, List<Point> points) {
        for (var p : points) {
            var point = json.addObject().put("x", p.x()).put("y", p.y().value());
            if (p.y().hasInterval()) {
                point.put("low", p.y().low()).put("high", p.y().high());
            }
            if (!p.label().isEmpty()) {
                point.put("label", p.label());
            }
        }
    }

    /// @param file the name to put into a message
    /// @throws IllegalArgumentException naming file and key, where it is malformed
    public static Frontier read(JsonNode json, String file) {
        return SummaryJson.frontier(json, file);
    }
}
