/** A field that Berth cannot honour, by its path, and why; with a colon between them a sentence for whoever wrote it. */
export interface Unsupported {
  readonly field: string;
  readonly why: string;
}

/** Tells of a field as it is found. */
export type Refuse = (field: string, why: string) => void;

/** For those who look at what is below a field. */
export function below(parent: string, refuse: Refuse): Refuse {
  return (field, why) => {
    refuse(field.startsWith('[') ? `${parent}${field}` : `${parent}.${field}`, why);
  };
}
