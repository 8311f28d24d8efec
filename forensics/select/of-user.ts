/** Selects what the exec sessions of a user of the API server caused. */
export interface OfUser {
  readonly kubernetesUser?: string;
  /** the path of the API server's audit log, or the address of a table that has it */
  readonly auditLog?: string;
}

/** The columns that IS_SESSION reads. */
export const SESSION_COLUMNS = ['entry', 'authority_type', 'args'];
/** The entries that may carry the id of a request, in any table of records. */
export const IS_SESSION = `entry = 'exec' AND (authority_type = 'exec_request'
  OR ((args[1] = 'env' OR args[1] LIKE '%/env')
    AND args[2] LIKE '%=________-____-____-____-____________'))`;
