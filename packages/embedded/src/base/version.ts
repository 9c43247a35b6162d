/** The version of Redis whose behaviour this is. */
export const VERSION = "7.0.15";
