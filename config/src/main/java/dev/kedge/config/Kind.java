package dev.kedge.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// What YAML calls a record of a sealed interface, under the key `kind`: written down, so that a record can be renamed
/// and every file still means the same.
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface Kind {
    String value();
}
