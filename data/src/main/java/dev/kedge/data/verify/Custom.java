package dev.kedge.data.verify;

import dev.kedge.config.Kind;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;

/// A verifier of one's own, by its class.
///
/// @param className a public class on the class path that implements [Verifier] and has a public constructor without
///                  arguments
@Kind("custom")
public record Custom(String className) implements Verification {
    public Custom {
        if (className.isBlank()) {
            throw new IllegalArgumentException("class_name must name a class, such as org.example.MyVerifier");
        }
    }

    /// Loads the class and makes one of it.
    @Override
    public Verifier verifier() {
        try {
            Class<?> found = Class.forName(className, false, loader());
            if (!Verifier.class.isAssignableFrom(found)) {
                throw wrong("does not implement " + Verifier.class.getName(), null);
            }
            if (!Modifier.isPublic(found.getModifiers()) || Modifier.isAbstract(found.getModifiers())) {
                throw wrong("must be public and not abstract", null);
            }
            Constructor<?> constructor = found.getConstructor();
            return (Verifier) constructor.newInstance();
        } catch (ClassNotFoundException | LinkageError e) {
            throw wrong(
                    "cannot be loaded from the class path: " + VerifierResult.oneLine(e)
                            + "; KEDGE_CLASSPATH=FILE.jar ./kedge ... adds a jar or a folder of classes to it",
                    e);
        } catch (NoSuchMethodException e) {
            throw wrong("has no public constructor without arguments", e);
        } catch (InvocationTargetException e) {
            throw wrong("cannot be made: " + VerifierResult.oneLine(e.getCause()), e);
        } catch (InstantiationException | IllegalAccessException e) {
            throw wrong("cannot be made: " + VerifierResult.oneLine(e), e);
        }
    }

    private static ClassLoader loader() {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        return context == null ? Custom.class.getClassLoader() : context;
    }

    private IllegalArgumentException wrong(String problem, Throwable cause) {
        return new IllegalArgumentException("verifier class " + className + " " + problem, cause);
    }
}
