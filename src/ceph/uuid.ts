/** What a cluster's and an OSD's own id look like, for use within patterns. */
export const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
