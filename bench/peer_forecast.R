# R's forecast package on series from standard input (study_forecast series), one thread: a line for
# each, parted by tabs: learner, id, deviance, sMAPE, MASE, CPU seconds; and of ets and arima the form and AICc.
#
# usage: Rscript peer_forecast.R ets|theta|arima < SERIES
suppressMessages(library(forecast))

learner <- commandArgs(TRUE)[1]
input <- file("stdin")
lines <- readLines(input)
close(input)
for (line in lines) {
  fields <- strsplit(line, "\t")[[1]]
  numbers <- as.numeric(fields[-1])
  learnt <- numbers[1]
  period <- numbers[2]
  values <- numbers[-(1:2)]
  y <- ts(values[1:learnt], frequency = period)
  actual <- values[-(1:learnt)]
  seconds <- sum(system.time({
    if (learner != "theta") {
      model <- if (learner == "ets") ets(y) else auto.arima(y)
      mean <- forecast(model, h = length(actual), level = 95)$mean
    } else {
      mean <- thetaf(y, h = length(actual), level = 95)$mean
    }
  })[1:2])
  deviance <- if (learner != "theta") -2 * model$loglik else NA
  method <- switch(learner, ets = model$method, arima = as.character(model))
  form <- if (learner != "theta") c(method, sprintf("%.6f", model$aicc)) else NULL
  scale <- mean(abs(diff(as.numeric(y), lag = period)))
  miss <- abs(actual - mean)
  cat(learner, fields[1], sprintf("%.6f", deviance),
      mean(200 * miss / (abs(actual) + abs(mean)), na.rm = TRUE), mean(miss, na.rm = TRUE) / scale,
      paste(c(sprintf("%.4f", seconds), form), collapse = "\t"), sep = "\t")
  cat("\n")
}
